/**
 * The files of a log, next to each other in one directory (log-copying.ts writes them):
 *
 *   stdout.log            what is being written
 *   stdout.<offset>.log   segments: what came before, each named by the offset of its first byte
 *   stdout.start          a LogPlace; not there while there are no segments and nothing is gone
 *
 * Offsets count from the first byte that was ever written.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputStream } from '../../engine.ts';
import { readText } from './small-file.ts';

export interface LogPlace {
  /** The first offset that the log still has. */
  readonly start: number;
  /** The offset that `stdout.log` begins with. */
  readonly base: number;
}

export interface LogExtent {
  readonly start: number;
  readonly end: number;
  /** When it was last written to; null: never. */
  readonly modifiedMs: number | null;
}

const BEGINNING: LogPlace = { start: 0, base: 0 };

export function logPath(dir: string, stream: OutputStream): string {
  return join(dir, `${stream}.log`);
}

export function segmentPath(dir: string, stream: OutputStream, start: number): string {
  return join(dir, `${stream}.${start}.log`);
}

export function placePath(dir: string, stream: OutputStream): string {
  return join(dir, `${stream}.start`);
}

export function parsePlace(text: string): LogPlace {
  const [, start, base] = /^(\d+) (\d+)\s*$/.exec(text) ?? [];
  return start === undefined ? BEGINNING : { start: Number(start), base: Number(base) };
}

function readPlace(dir: string, stream: OutputStream): LogPlace {
  const path = placePath(dir, stream);
  // Most logs have none, and an exception costs more than a look.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return BEGINNING;
  return parsePlace(readText(path));
}

/** What a log has now. */
export function logExtent(dir: string, stream: OutputStream): LogExtent {
  for (let place = readPlace(dir, stream); ; ) {
    const { start, base } = place;
    const found =
      statSync(logPath(dir, stream), { throwIfNoEntry: false }) ??
      // It became a segment just now, or whoever made it one was killed before it could say so.
      statSync(segmentPath(dir, stream, base), { throwIfNoEntry: false });
    place = readPlace(dir, stream);
    // Rotated meanwhile: the size may be that of another file.
    if (place.base !== base) continue;
    const size = found?.size ?? 0;
    const hasBytes = found !== undefined && base + size > 0;
    return { start, end: base + size, modifiedMs: hasBytes ? found.mtimeMs : null };
  }
}

/** The offsets that the segments begin with, in their order. */
export function segmentStarts(dir: string, stream: OutputStream): number[] {
  return readdirSync(dir)
    .map((name) => /^(\w+)\.(\d+)\.log$/.exec(name))
    .filter((match) => match?.[1] === stream)
    .map((match) => Number(match?.[2]))
    .sort((one, other) => one - other);
}
