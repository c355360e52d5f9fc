import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Attempt } from '../../../contract/schemas.ts';
import type { SpriteEngine } from '../../engine.ts';
import type { SelftestOptions, SelftestReport } from '../../selftest.ts';
import { ATTEMPTS, type EscapeAttempt } from './attempts.ts';
import { layBait } from './bait.ts';
import { tryAttempt } from './try-attempts.ts';

const MEMORY_BYTES = 256 * 1024 ** 2;
const PIDS = 128;
/** Should this program be killed, gc finds the sprite expired. */
const TTL_MS = 15 * 60_000;

type Engine = Pick<SpriteEngine, 'start' | 'kill' | 'info' | 'openSession'>;

/** Starts a sprite, tries to get out of it, and removes it. */
export async function runSelftest(
  engine: Engine,
  { signal, onAttempt }: SelftestOptions = {},
  attempts: readonly EscapeAttempt[] = ATTEMPTS,
): Promise<SelftestReport> {
  const mark = Math.random().toString(36).slice(2, 10);
  const name = `selftest-${mark}`;
  await using bait = await layBait(join(tmpdir(), `wisp-selftest-${mark}`));
  const limits = { memoryBytes: MEMORY_BYTES, pids: PIDS, softLimits: true };
  const { sprite } = await engine.start({ name, ...limits, network: 'none', ttlMs: TTL_MS }, { signal });
  const made: Attempt[] = [];
  try {
    for (const attempt of attempts) {
      const ended = await tryAttempt({ engine, sprite: name, bait }, attempt, { signal });
      made.push(ended);
      onAttempt?.(ended, attempts.length);
    }
    return { isolation: sprite.isolation, attempts: made };
  } finally {
    // Not given up by the signal: it never stays.
    await engine.kill(name);
  }
}
