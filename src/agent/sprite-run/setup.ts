/** The `setup` commands of the configuration: once per sprite and content, in the project, before the agent. */
import { createHash } from 'node:crypto';
import { SpriteExecError } from '../../errors.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';

const MARK_DIR = '/home/sprite/.wreckit';

export interface SetupOptions {
  readonly client: WispClient;
  readonly name: string;
  readonly dir: string;
  readonly commands: readonly string[];
  /** The sprite won't be there to be looked at. */
  readonly isRemovedOnFailure: boolean;
  readonly onOutput?: ((chunk: Uint8Array) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Returns how many commands were run. Throws `SPRITE_EXEC_FAILED` for the first that fails. */
export async function runSetup({
  client,
  name,
  dir,
  commands,
  isRemovedOnFailure,
  onOutput,
  signal,
}: SetupOptions): Promise<number> {
  if (commands.length === 0) return 0;
  const mark = `${MARK_DIR}/setup-${createHash('sha256').update(JSON.stringify(commands)).digest('hex').slice(0, 32)}`;
  const seen = await client.exec(name, ['test', '-e', mark], { dir: '/', signal });
  if (seen.exit_code === 0) return 0;
  for (const command of commands) {
    const sink = onOutput ?? (() => undefined);
    let tail = '';
    const keep = async (chunk: Uint8Array): Promise<void> => {
      tail = (tail + decodeUtf8(chunk)).slice(-500);
      await sink(chunk);
    };
    const done = await client.execCapture(name, ['/bin/sh', '-c', command], {
      dir,
      stdout: keep,
      stderr: keep,
      timeoutMs: 0,
      signal,
    });
    if (done.exitCode === 0) continue;
    throw new SpriteExecError(`setup: ${JSON.stringify(command)} ended with exit ${done.exitCode}`, {
      hint: isRemovedOnFailure
        ? 'to look at it in the sprite, keep that: wreckit run --keep …'
        : `look at it in the sprite: wreckit sprite attach ${name}`,
      details: { command, exit_code: done.exitCode, output_tail: tail },
    });
  }
  await client.exec(name, ['/bin/sh', '-c', 'mkdir -p "$0" && : >"$1"', MARK_DIR, mark], {
    dir: '/',
    signal,
  });
  return commands.length;
}
