/** Where the last lines of a log begin. */
import type { OutputStream } from '../../engine.ts';
import { LogCursor } from '../sessions/log-cursor.ts';
import { logExtent } from '../sessions/log-files.ts';

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** An absolute offset. An end without a newline is a line, too. */
export function lastLinesOffset(logs: string, stream: OutputStream, lines: number): number {
  const { start, end: size } = logExtent(logs, stream);
  let left = lines;
  for (let end = size; left > 0 && end > start; ) {
    const from = Math.max(start, end - BLOCK_BYTES);
    const block = readBlock(logs, stream, { from, end });
    // What is gone meanwhile was longer ago than what is wanted can be.
    if (block === null) return end;
    for (let index = block.length - 1; index >= 0; index -= 1) {
      // The newline at the very end ends the last line and begins none.
      if (block[index] !== NEWLINE || from + index === size - 1) continue;
      left -= 1;
      if (left === 0) return from + index + 1;
    }
    end = from;
  }
  return lines <= 0 ? size : start;
}

/** Null: a part of it is no longer there. */
function readBlock(
  logs: string,
  stream: OutputStream,
  { from, end }: { from: number; end: number },
): Uint8Array | null {
  using cursor = new LogCursor(logs, stream, from);
  const block = new Uint8Array(end - from);
  while (cursor.offset < end) {
    const chunk = cursor.read(block.subarray(cursor.offset - from), end);
    if (chunk === null || chunk.droppedBytes > 0) return null;
  }
  return block;
}
