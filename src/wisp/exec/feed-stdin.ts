/** Forwards our stdin to a session, waiting for it, and its end as an end of file. */
import type { Readable } from 'node:stream';
import type { SessionHandle } from '../../engine/engine.ts';

/** Resolves when all of it is accepted, or the session reads no more. */
export async function feedStdin(stdin: Readable, handle: SessionHandle): Promise<void> {
  for await (const chunk of stdin) {
    if (!(await handle.write(chunk as Uint8Array))) return;
  }
  await handle.closeStdin();
}
