/** The frames of `exec` without a terminal: one byte that says what it is, then the bytes themselves. */
import type { OutputStream } from '../../engine/engine.ts';

export const FRAME = { stdin: 0, stdout: 1, stderr: 2, exit: 3, stdinEnd: 4 } as const;

/** A copy: the bytes of a chunk are only valid until the next one is asked for. */
export function outputFrame(stream: OutputStream, bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(bytes.length + 1);
  frame[0] = FRAME[stream];
  frame.set(bytes, 1);
  return frame;
}

export function exitFrame(exitCode: number): Buffer {
  return Buffer.from([FRAME.exit, exitCode & 0xff]);
}
