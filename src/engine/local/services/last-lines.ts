/** Where the last lines of a log begin. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';
import type { OutputStream } from '../../engine.ts';
import { logPath, readStart } from '../sessions/session-dir.ts';

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** An absolute offset. An end without a newline is a line, too. */
export function lastLinesOffset(logs: string, stream: OutputStream, lines: number): number {
  const fd = openOrNull(logPath(logs, stream));
  if (fd === null) return 0;
  try {
    const size = fstatSync(fd).size;
    return lines <= 0 ? size : scanBack(fd, { start: readStart(logs, stream), size, lines });
  } finally {
    closeSync(fd);
  }
}

function scanBack(
  fd: number,
  { start, size, lines }: { start: number; size: number; lines: number },
): number {
  const buffer = new Uint8Array(BLOCK_BYTES);
  let left = lines;
  for (let end = size; end > start; ) {
    const from = Math.max(start, end - BLOCK_BYTES);
    const count = readSync(fd, buffer, 0, end - from, from);
    for (let index = count - 1; index >= 0; index -= 1) {
      // The newline at the very end ends the last line and begins none.
      if (buffer[index] !== NEWLINE || from + index === size - 1) continue;
      left -= 1;
      if (left === 0) return from + index + 1;
    }
    end = from;
  }
  return start;
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
