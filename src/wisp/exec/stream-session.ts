/** A foreground command without a terminal: its bytes go through untouched, and each write is waited for. */

import type { Io } from '../../cli/io.ts';
import type { SessionExit, SessionHandle } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { feedStdin } from './feed-stdin.ts';
import type { Forwarding } from './forward-signals.ts';

export interface StreamRequest {
  readonly io: Io;
  readonly handle: SessionHandle;
  readonly forwarding: Forwarding;
  readonly stdin: boolean;
}

/** How the command ended, once its last byte is out. Throws `SESSION_LOST`. */
export async function streamSession({ io, handle, forwarding, stdin }: StreamRequest): Promise<SessionExit> {
  const feeding = stdin ? feedStdin(io.stdin, handle) : Promise.resolve();
  const broken = failing(feeding);
  const ended = writeOutput(io, handle, forwarding).then(() => handle.exit());
  return await Promise.race([ended, forwarding.failed, broken]);
}

async function writeOutput(io: Io, handle: SessionHandle, forwarding: Forwarding): Promise<void> {
  for await (const { stream, bytes, droppedBytes } of handle.output({ follow: true })) {
    if (droppedBytes > 0) await io.stderr.write(droppedNote(droppedBytes));
    const isRead = await io[stream].write(bytes);
    if (!isRead && stream === 'stdout') {
      forwarding.brokenPipe();
      return;
    }
  }
}

/** The log's cap overtook us: possible only for output faster than its reader. */
function droppedNote(droppedBytes: number): string {
  return `warning: ${droppedBytes} bytes of output were dropped: the log was full before they could be read\n`;
}

/** Rejects as `promise` does and never resolves: its success ends nothing. */
export function failing(promise: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    promise.catch((thrown: unknown) => reject(asStdinError(thrown)));
  });
}

function asStdinError(thrown: unknown): unknown {
  if (thrown instanceof WreckitError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new WreckitError('SPRITE_EXEC_FAILED', `exec: stdin could not be read: ${reason}`, {
    cause: thrown,
  });
}
