/** Services of real sprites, in short words. */
import { join } from 'node:path';
import type { Service, ServiceEvent, ServiceSpec } from '../../../engine/engine.ts';
import { LocalEngine } from '../../../engine/local/local-engine.ts';
import { readState, type StateRecord } from '../../../engine/local/services/service-state.ts';
import { WreckitError } from '../../../errors.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type LocalSprite, localSprite } from '../../helpers/local-sprite.ts';

export const WAIT = { timeoutMs: 20_000 };
/** Restarts without the waiting; still more than one of them can be told apart. */
export const QUICK = { firstMs: 100, longestMs: 400, most: 3, steadyMs: 60_000 };

/** A sprite whose services are started again soon after a crash. */
export async function serviceSprite(spec: Parameters<typeof localSprite>[0] = {}): Promise<LocalSprite> {
  const sprite = await localSprite(spec);
  const engine = new LocalEngine({ env: { ...process.env, WISP_HOME: sprite.home }, restartRules: QUICK });
  return Object.assign(sprite, { engine });
}

export function shell(script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return { command: ['/bin/sh', '-c', script], needs: [], httpPort: null, ...more };
}

export const FOREVER = 'exec sleep 100000';

export async function service(sprite: LocalSprite, name: string): Promise<Service> {
  return await sprite.engine.services.get(sprite.name, name);
}

/** Waits until the service has the status. */
export async function untilStatus(
  sprite: LocalSprite,
  name: string,
  status: Service['state']['status'],
): Promise<Service> {
  return await eventually(
    async () => {
      const now = await service(sprite, name);
      return now.state.status === status ? now : null;
    },
    { ...WAIT, what: `service ${name} to be ${status}` },
  );
}

/** What it has printed, and is kept. */
export async function logOf(sprite: LocalSprite, name: string, stream: 'stdout' | 'stderr' = 'stdout') {
  const chunks: Buffer[] = [];
  for await (const { bytes } of sprite.engine.services.output(sprite.name, name, { streams: [stream] })) {
    chunks.push(Buffer.from(bytes));
  }
  return Buffer.concat(chunks).toString();
}

export async function untilLogged(sprite: LocalSprite, name: string, text: string): Promise<string> {
  return await eventually(
    async () => {
      const log = await logOf(sprite, name);
      return log.includes(text) ? log : null;
    },
    { ...WAIT, what: `${text} in the log of ${name}` },
  );
}

/** What its supervisor has written down. */
export function stateOf(sprite: LocalSprite, name: string): StateRecord {
  const state = readState(join(sprite.home, 'sprites', sprite.name, 'services', name));
  if (state === null) throw new Error(`service ${name}: it has no state`);
  return state;
}

/** Events until one satisfies `isLast`. */
export async function eventsUntil(
  sprite: LocalSprite,
  name: string,
  isLast: (event: ServiceEvent) => boolean,
  more: { sinceStart?: boolean; lines?: number } = {},
): Promise<ServiceEvent[]> {
  const signal = AbortSignal.timeout(WAIT.timeoutMs);
  const events: ServiceEvent[] = [];
  for await (const event of sprite.engine.services.events(sprite.name, name, {
    follow: true,
    signal,
    ...more,
  })) {
    events.push(event);
    if (isLast(event)) break;
  }
  return events;
}

/** The code it fails with; null when it doesn't. */
export async function codeOf(action: Promise<unknown>): Promise<string | null> {
  try {
    await action;
    return null;
  } catch (thrown) {
    if (thrown instanceof WreckitError) return thrown.code;
    throw thrown;
  }
}
