/** What a service prints and what happens to it, as it comes: through restarts, until somebody has seen enough. */
import { existsSync } from 'node:fs';
import type { OutputChunk, OutputStream } from '../../engine.ts';
import type { ServiceEvent } from '../../services.ts';
import { Changes } from '../sessions/changes.ts';
import { LogCursor } from '../sessions/log-cursor.ts';
import type { Journal } from './journal.ts';

const CHUNK_BYTES = 64 * 1024;
/** What a command wrote last takes this long, at most, from its pipe to the log. */
const DRAIN_MS = 50;
/** From a command's first bytes to the supervisor's note of its start, at most. */
const START_NOTE_MS = 500;

export interface WatchedService {
  /** Its directory, and that of its logs. */
  readonly dir: string;
  readonly logs: string;
}

export interface Watching {
  /** Where each stream wanted is read from; below 0 counts from its end. */
  readonly from: Readonly<Partial<Record<OutputStream, number>>>;
  /** Null: only the output is wanted. */
  readonly journal: Journal | null;
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type Happening =
  | { readonly kind: 'output'; readonly chunk: OutputChunk }
  | { readonly kind: 'event'; readonly event: ServiceEvent };

/**
 * Without `follow` it ends at the present end; else when the service is removed. The bytes of a chunk are valid until
 * the next one is asked for. Rejects with the abort reason.
 */
export async function* watchService(
  { dir, logs }: WatchedService,
  { from, journal, follow, signal }: Watching,
): AsyncGenerator<Happening> {
  // Before the first look: what comes after it is not missed.
  using dirChanges = new Changes(dir);
  using logChanges = new Changes(logs);
  const cursors = Object.entries(from).map(([stream, at]) => new LogCursor(logs, stream as OutputStream, at));
  const buffer = new Uint8Array(CHUNK_BYTES);
  let isDown = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      let events = journal?.read() ?? [];
      const isNews = isDown && cursors.some((cursor) => cursor.end() > cursor.offset);
      if (isNews && journal !== null && events.length === 0)
        events = await nextEvents(journal, dirChanges, signal);
      const last = events.at(-1)?.type;
      if (last !== undefined) isDown = last !== 'started';
      const isStart = events[0]?.type === 'started';
      if (isStart && events[0] !== undefined) yield { kind: 'event', event: events[0] };
      const rest = isStart ? events.slice(1) : events;
      if (rest.length > 0) await logChanges.next({ signal }, DRAIN_MS);
      let hasRead = false;
      for (const cursor of cursors) {
        // Up to where it ends now: a service that prints without pause would never come to the other log.
        const end = cursor.end();
        for (let chunk = cursor.read(buffer, end); chunk !== null; chunk = cursor.read(buffer, end)) {
          hasRead = true;
          signal?.throwIfAborted();
          yield { kind: 'output', chunk };
        }
      }
      for (const event of rest) yield { kind: 'event', event };
      if (!follow) return;
      if (hasRead || events.length > 0) continue;
      if (!existsSync(dir)) return;
      await eitherChange([dirChanges, logChanges], signal);
    }
  } finally {
    for (const cursor of cursors) cursor[Symbol.dispose]();
  }
}

/** It prints again: that it was started is written down a moment later. */
async function nextEvents(
  journal: Journal,
  changes: Changes,
  signal: AbortSignal | undefined,
): Promise<ServiceEvent[]> {
  const deadline = performance.now() + START_NOTE_MS;
  for (;;) {
    const events = journal.read();
    const leftMs = deadline - performance.now();
    if (events.length > 0 || leftMs <= 0) return events;
    await changes.next({ signal }, leftMs);
  }
}

async function eitherChange(
  [one, other]: readonly [Changes, Changes],
  signal: AbortSignal | undefined,
): Promise<void> {
  const done = new AbortController();
  const both = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  const waits = [one, other].map((changes) => changes.next({ signal: both }));
  try {
    await Promise.race(waits);
  } finally {
    done.abort();
    await Promise.allSettled(waits);
  }
}
