/** A sprite that is a plain directory of this machine: real `sh`, `find`, `tar`, no sandbox. */
import { mkdirSync } from 'node:fs';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { SpritePort } from '../../sync/sprite-port.ts';
import { IN_DIR_SCRIPT } from '../../sync/wisp-port.ts';

export interface LocalDirPortOptions {
  readonly name?: string;
  readonly id?: string;
  /** Looked at before every command, so that a test can count them. */
  readonly onExec?: (argv: readonly string[]) => void;
  readonly onUnpack?: () => void;
  /** PATH of the "sprite": programs planted there are what its commands find. */
  readonly path?: string;
}

export function localDirPort(dir: string, options: LocalDirPortOptions = {}): SpritePort {
  const env = { PATH: options.path ?? process.env.PATH ?? '/usr/bin:/bin', HOME: dir };
  return {
    name: options.name ?? 'demo',
    id: options.id ?? 'id-1',
    dir,
    async exec(argv, { stdin, onStdout, maxBytes = 1024 * 1024, signal } = {}) {
      options.onExec?.(argv);
      const done = await run(['/bin/sh', '-c', IN_DIR_SCRIPT, dir, ...argv], {
        env,
        stdin: stdin ?? 'ignore',
        stdout: onStdout ?? 'capture',
        maxBytes,
        signal,
      });
      const { stdout, stderr } = done;
      return { exitCode: done.exitCode ?? 137, stdout, stderr, isDirMissing: done.exitCode === 86 };
    },
    async unpack(tar, { signal } = {}) {
      options.onUnpack?.();
      mkdirSync(dir, { recursive: true });
      const done = await run(['tar', '-xf', '-', '-C', dir], { env, stdin: tar, signal });
      if (done.failed) throw new Error(`tar: ${decodeUtf8(done.stderr)}`);
    },
  };
}
