/**
 * Rootless only. There the lowers are read with the rights of the user who starts the sprite, which are more
 * than an ordinary user's: files of its own, and of its groups, that others may not read. They are masked.
 * (As root the guard of boot.ts does this, and for files that come later too.)
 */
import { SpriteStartError } from '../../errors.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { Waiting } from '../engine.ts';
import type { RootLayout } from './layout.ts';
import { requireTool, TOOL_ENV } from './tools.ts';

/** Directories that others can't enter are masked whole, other things that others can't read one by one. */
const UNREADABLE_BY_OTHERS = [
  [
    '-type',
    'd',
    '(',
    '-not',
    '-perm',
    '-o+x',
    '-o',
    '-not',
    '-perm',
    '-o+r',
    ')',
    '-readable',
    '-prune',
    '-print0',
  ],
  ['-not', '-type', 'd', '-not', '-type', 'l', '-not', '-perm', '-o+r', '-readable', '-print0'],
];

/** Paths inside the sprite (base `host`, where they are the host's). Throws `SPRITE_START_FAILED`: fails closed. */
export async function findHiddenPaths(layout: RootLayout, { signal }: Waiting): Promise<string[]> {
  const [dirs = [], files = []] = UNREADABLE_BY_OTHERS;
  const roots = layout.overlays.map(({ lower }) => lower);
  const argv = [requireTool('find', 'findutils'), ...roots, '-xdev', ...dirs, '-o', ...files];
  const result = await run(argv, { env: TOOL_ENV, timeoutMs: 120_000, signal, maxBytes: 32 * 1024 * 1024 });
  // find ends with 1 when it met directories it can't read: those stay closed by themselves.
  const isComplete = result.exitCode !== null && result.exitCode <= 1 && result.stdoutTruncatedBytes === 0;
  if (isComplete) return decodeUtf8(result.stdout).split('\0').filter(Boolean);
  throw new SpriteStartError('base "host": looking for files that only you can read did not finish', {
    details: { exit_code: result.exitCode, timed_out: result.timedOut },
  });
}
