/** A sprite that is a plain directory of this machine: real `sh`, `find`, `tar`, no sandbox. */
import { run } from '../../process/run.ts';
import type { SpritePort } from '../../sync/sprite-port.ts';
import { inDirectory, isDirMissing } from '../../sync/wisp-port.ts';

export interface LocalDirPortOptions {
  readonly name?: string;
  readonly id?: string;
  /** Looked at before every command, so that a test can count them. */
  readonly onExec?: (argv: readonly string[]) => void;
  /** PATH of the "sprite": programs planted there are what its commands find. */
  readonly path?: string;
}

export function localDirPort(dir: string, options: LocalDirPortOptions = {}): SpritePort {
  const env = { PATH: options.path ?? process.env.PATH ?? '/usr/bin:/bin', HOME: dir };
  return {
    name: options.name ?? 'demo',
    id: options.id ?? 'id-1',
    dir,
    async exec(argv, { stdin, onStdout, makeDir, maxBytes = 1024 * 1024, signal } = {}) {
      options.onExec?.(argv);
      const done = await run(inDirectory(dir, argv, makeDir), {
        env,
        stdin: stdin ?? 'ignore',
        stdout: onStdout ?? 'capture',
        maxBytes,
        signal,
      });
      const { stdout, stderr } = done;
      return { exitCode: done.exitCode ?? 137, stdout, stderr, isDirMissing: isDirMissing(done.exitCode) };
    },
  };
}
