/** Starting sprites under `maxVMs`: the limit is on all sprites of the engine, whoever started them. */
import { WreckitError } from '../errors.ts';
import type {
  SpriteStarted,
  SpriteStartSpec,
  WispCallOptions,
  WispClient,
} from './wisp-client/wisp-client.ts';

export interface StartLimit {
  /** Most sprites there may be. */
  readonly maxVMs: number;
  /** Where tickets are kept: XDG_STATE_HOME, HOME. Also tells engines apart: WISP_HOME. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Which wisp; the bundled one when absent. */
  readonly wispPath?: string | undefined;
}

/**
 * `client.start`, but a new sprite only where there is room for it; one that is there already is no new one.
 * Several at once can't go beyond the limit together. Throws `SPRITE_LIMIT`.
 */
export async function startWithinLimit(
  client: WispClient,
  limit: StartLimit,
  name: string,
  spec?: SpriteStartSpec,
  options?: WispCallOptions,
): Promise<SpriteStarted> {
  if (!(await client.countsSprites(options)))
    return await startAfterCounting(client, limit, name, spec, options);
  try {
    return await client.start(name, { ...spec, maxSprites: limit.maxVMs }, options);
  } catch (thrown) {
    const isFull = thrown instanceof WreckitError && thrown.code === 'SPRITE_LIMIT';
    const count = isFull ? thrown.details.sprites : undefined;
    throw typeof count === 'number' ? limitReached(name, limit.maxVMs, count) : thrown;
  }
}

/** For a wisp that does not count itself: two calls, and tickets between those who make them at once. */
async function startAfterCounting(
  client: WispClient,
  limit: StartLimit,
  name: string,
  spec: SpriteStartSpec | undefined,
  options: WispCallOptions | undefined,
): Promise<SpriteStarted> {
  const { takeStartTicket } = await import('./start-ticket.ts');
  const { engineScope } = await import('./state-dir.ts');
  using ticket = takeStartTicket(name, engineScope(limit.env, limit.wispPath), limit.env);
  // Only after the ticket: whoever starts a sprite now either has an earlier ticket or sees this one.
  const names = new Set((await client.list({}, options)).map((sprite) => sprite.name));
  if (!names.has(name)) {
    for (const other of ticket.earlier) names.add(other);
    if (names.size >= limit.maxVMs) throw limitReached(name, limit.maxVMs, names.size);
  }
  return await client.start(name, spec, options);
}

function limitReached(name: string, maxVMs: number, count: number): WreckitError {
  const have = count === 1 ? 'there is 1 sprite' : `there are ${count} sprites`;
  return new WreckitError('SPRITE_LIMIT', `start sprite "${name}": ${have}, maxVMs allows ${maxVMs}`, {
    hint: 'kill one (wreckit sprite kill NAME), or raise agent.maxVMs in the configuration',
    details: { budget: 'maxVMs', max_vms: maxVMs, sprites: count },
  });
}
