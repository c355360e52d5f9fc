/** The sprite port over a wisp client. */
import type { WispClient } from '../agent/wisp-client/wisp-client.ts';
import { errorOf } from '../errors.ts';
import { decodeUtf8 } from '../process/text.ts';
import type { SpritePort } from './sprite-port.ts';

export const DEFAULT_PROJECT_DIR = '/home/sprite/project';

/** Exit status of our own wrapper, taken by no program it starts (they end with 0, 1, 2, 123 or 126+n). */
const DIR_MISSING_EXIT = 86;
const ENGINE_FAILED_EXIT = 125;

/** The words that run `argv` in `dir`: it is an argument of a fixed script, never part of one. */
export function inDirectory(dir: string, argv: readonly string[], makeDir = false): string[] {
  const make = makeDir ? 'mkdir -p -- "$0" && ' : '';
  const script = `${make}cd -- "$0" 2>/dev/null || exit ${DIR_MISSING_EXIT}; exec "$@"`;
  return ['sh', '-c', script, dir, ...argv];
}

export function isDirMissing(exitCode: number | null): boolean {
  return exitCode === DIR_MISSING_EXIT;
}

export interface WispPortOptions {
  readonly client: WispClient;
  readonly name: string;
  readonly id?: string | null | undefined;
  /** Absolute path inside the sprite; `/home/sprite/project` when absent. */
  readonly dir?: string | undefined;
}

/** Its calls reject with the client's errors; a command the engine could not run is `SPRITE_EXEC_FAILED`. */
export function wispPort({
  client,
  name,
  id = null,
  dir = DEFAULT_PROJECT_DIR,
}: WispPortOptions): SpritePort {
  return {
    name,
    id,
    dir,
    async exec(argv, options = {}) {
      const { stdin, onStdout, asRoot, makeDir, maxBytes = 1024 * 1024, timeoutMs = 0, signal } = options;
      const done = await client.execCapture(name, inDirectory(dir, argv, makeDir), {
        user: asRoot === true ? 'root' : undefined,
        stdin: stdin ?? 'ignore',
        stdout: onStdout ?? 'capture',
        maxBytes,
        timeoutMs,
        signal,
      });
      if (done.exitCode === ENGINE_FAILED_EXIT) {
        throw errorOf('SPRITE_EXEC_FAILED', `run a command in sprite "${name}": ${reasonOf(done.stderr)}`);
      }
      return {
        exitCode: done.exitCode,
        stdout: done.stdout,
        stderr: done.stderr,
        isDirMissing: isDirMissing(done.exitCode),
      };
    },
  };
}

/** wisp says `error: …` and then a hint. */
function reasonOf(stderr: Uint8Array): string {
  const lines = decodeUtf8(stderr).trim().split('\n');
  const line = lines.findLast((text) => text.startsWith('error: ')) ?? lines.at(-1) ?? '';
  return line.replace(/^error: /, '');
}
