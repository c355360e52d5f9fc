/**
 * A command over plain HTTP. Each HTTP chunk of the answer is one frame, without a length: clients read it
 * through `fetch`, which joins chunks that come close together. So frames are small, with a pause between
 * them, and what the command prints meanwhile goes into the next one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionHandle } from '../../engine/engine.ts';
import { exitFrame, outputFrame } from './frames.ts';

const MAX_FRAME_BYTES = 32 * 1024 - 1;
const GAP_MS = 20;

export async function* execFrames(handle: SessionHandle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const { stream, bytes } of handle.output({ follow: true, signal })) {
    for (let start = 0; start < bytes.length; start += MAX_FRAME_BYTES) {
      yield outputFrame(stream, bytes.subarray(start, start + MAX_FRAME_BYTES));
      await sleep(GAP_MS, undefined, { signal });
    }
  }
  const { exitCode } = await handle.exit({ signal });
  if (exitCode === null) throw new Error('the session ended without an exit status');
  // The headers, or the last frame, must be read before it.
  await sleep(GAP_MS, undefined, { signal });
  yield exitFrame(exitCode);
}

/** The request's body as the command's input. Ends when the command reads no more. */
export async function feedSession(handle: SessionHandle, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (!(await handle.write(chunk))) return;
  }
  await handle.closeStdin();
}
