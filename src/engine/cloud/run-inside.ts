/** A short command in a sprite, run to its end: what the API has no call for. */
import type { SessionExit, SessionSpec, Waiting } from '../engine.ts';
import type { CloudSessions } from './cloud-sessions.ts';

export interface InsideResult extends SessionExit {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface InsideOptions extends Waiting {
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  readonly user?: 'sprite' | 'root' | undefined;
  /** Absent: it is kept, up to `maxBytes`. */
  readonly onStdout?: ((bytes: Uint8Array) => Promise<void> | void) | undefined;
}

/** The `$0` of scripts of ours: their sessions are nobody's business but the engine's. */
export const INSIDE_NAME = 'wisp-inside';

/** Of each stream; what is beyond it falls out. */
const MAX_KEPT_BYTES = 256 * 1024;

/** Throws `SPRITE_NOT_FOUND`, `SPRITE_EXEC_FAILED`, `SESSION_LOST`. */
export async function runInside(
  sessions: CloudSessions,
  name: string,
  command: readonly string[],
  { stdin, user, onStdout, signal }: InsideOptions = {},
): Promise<InsideResult> {
  const spec: SessionSpec = {
    command,
    user: user === 'root' ? 'root' : undefined,
    stdin: stdin !== undefined,
  };
  await using handle = await sessions.open(name, spec, { signal, isInternal: true });
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const sizes = { stdout: 0, stderr: 0 };
  let inputFault: unknown;
  const feeding = stdin === undefined ? Promise.resolve() : feed(handle, stdin);
  feeding.catch((thrown: unknown) => {
    inputFault = thrown;
    // Without the rest of its input it may not end by itself, and must not take the part for the whole.
    void sessions.kill(name, handle.id, { name: 'SIGKILL', only: true }).catch(() => undefined);
  });
  for await (const { stream, bytes } of handle.output({ follow: true, signal })) {
    if (stream === 'stdout' && onStdout !== undefined) await onStdout(bytes);
    else if (sizes[stream] < MAX_KEPT_BYTES) {
      kept[stream].push(Buffer.from(bytes));
      sizes[stream] += bytes.length;
    }
  }
  const exit = await handle.exit({ signal });
  if (inputFault !== undefined) throw inputFault;
  return { ...exit, stdout: Buffer.concat(kept.stdout), stderr: Buffer.concat(kept.stderr) };
}

async function feed(
  handle: { write(bytes: Uint8Array): Promise<boolean>; closeStdin(): Promise<void> },
  stdin: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of stdin) {
    if (!(await handle.write(chunk))) return;
  }
  await handle.closeStdin();
}
