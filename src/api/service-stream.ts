/** What happens to a service, as lines, while something is done to it and for a while after. */
import type { z } from 'zod';
import type { Service, ServiceEvent, ServiceOps } from '../engine/engine.ts';
import type { ApiServiceEvent } from './schemas/services.ts';

type Line = z.output<typeof ApiServiceEvent>;

export interface ServiceStream {
  readonly services: ServiceOps;
  readonly name: string;
  readonly service: string;
  /** Past lines of the log shown first. */
  readonly lines?: number;
  /** Shown instead of past lines: everything since its command was started last. */
  readonly sinceStart?: boolean;
  /** Done once it is listened to; what it throws ends the stream. */
  readonly action?: () => Promise<Service>;
  /** How long to listen after the action; 0: its own events only. */
  readonly durationMs: number;
  readonly signal: AbortSignal;
}

export async function* serviceLines(stream: ServiceStream): AsyncGenerator<Line> {
  const { services, name, service, lines = 0, sinceStart = false, durationMs } = stream;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, stream.signal]);
  const isFollowed = stream.action !== undefined || durationMs > 0;
  const events = services.events(name, service, { lines, sinceStart, follow: isFollowed, signal });
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  let failure: unknown;
  const acted = (stream.action?.() ?? Promise.resolve()).then(
    () => undefined,
    (thrown: unknown) => {
      failure = thrown ?? new Error('it failed');
    },
  );
  let timer: NodeJS.Timeout | undefined;
  if (isFollowed) void acted.then(() => (timer = setTimeout(() => stop.abort(), failure ? 0 : durationMs)));
  try {
    for (;;) {
      const step = await next;
      if (step.done) break;
      yield lineOf(step.value);
      next = iterator.next();
    }
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
  } finally {
    clearTimeout(timer);
    await iterator.return?.();
  }
  await acted;
  if (failure !== undefined) throw failure;
  yield await completion(services, name, service);
}

async function completion(services: ServiceOps, name: string, service: string): Promise<Line> {
  const { dir, stdout, stderr } = (await services.get(name, service)).logFiles;
  const log_files = { stdout, stderr, combined: dir };
  return { type: 'complete', timestamp: Date.now(), log_files };
}

function lineOf(event: ServiceEvent): Line {
  const { type, timeMs: timestamp } = event;
  switch (event.type) {
    case 'stdout':
    case 'stderr':
    case 'error':
      return { type, data: event.data, timestamp };
    case 'exit':
      return { type, exit_code: event.exitCode, timestamp };
    default:
      return { type, timestamp };
  }
}
