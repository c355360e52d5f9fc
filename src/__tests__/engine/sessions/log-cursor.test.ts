import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  appendFileSync,
  closeSync,
  constants,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { lastLinesOffset } from '../../../engine/local/services/last-lines.ts';
import { LogCursor } from '../../../engine/local/sessions/log-cursor.ts';
import { logExtent, logPath, placePath, segmentPath } from '../../../engine/local/sessions/log-files.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir[Symbol.dispose]());

// What a copier does, step by step.
const write = (text: string): void => appendFileSync(logPath(dir.path, 'stdout'), text);
const becomeSegment = (base: number): void => renameSync(logPath(dir.path, 'stdout'), segment(base));
const segment = (base: number): string => segmentPath(dir.path, 'stdout', base);
function writePlace(start: number, base: number): void {
  const fd = openSync(placePath(dir.path, 'stdout'), constants.O_CREAT | constants.O_RDWR, 0o600);
  writeSync(fd, `${`${start} ${base}`.padEnd(31)}\n`, 0);
  closeSync(fd);
}

/** abc defgh ij klmno pq, each in a file of its own. */
function fiveFiles(): void {
  write('abc');
  becomeSegment(0);
  writePlace(0, 3);
  write('defgh');
  becomeSegment(3);
  writePlace(0, 8);
  write('ij');
  becomeSegment(8);
  writePlace(0, 10);
  write('klmno');
  becomeSegment(10);
  writePlace(0, 15);
  write('pq');
}

const cursorFrom = (offset: number): LogCursor => new LogCursor(dir.path, 'stdout', offset);

/** What there is to read now: the text, and how many bytes before each chunk are gone. */
function readAll(cursor: LogCursor, end = Number.MAX_SAFE_INTEGER): { text: string; dropped: number } {
  const buffer = new Uint8Array(4);
  let text = '';
  let dropped = 0;
  for (let chunk = cursor.read(buffer, end); chunk !== null; chunk = cursor.read(buffer, end)) {
    expect(chunk.offset).toBe(cursor.offset - chunk.bytes.length);
    text += Buffer.from(chunk.bytes).toString();
    dropped += chunk.droppedBytes;
  }
  return { text, dropped: dropped + (cursor.droppedAtEnd()?.droppedBytes ?? 0) };
}

function readFrom(offset: number, end?: number): { text: string; dropped: number } {
  using cursor = cursorFrom(offset);
  return readAll(cursor, end);
}

test('reads on from file to file, from any offset to any end', () => {
  fiveFiles();
  const whole = 'abcdefghijklmnopq';
  for (let from = 0; from <= whole.length; from += 1) {
    expect(readFrom(from)).toEqual({ text: whole.slice(from), dropped: 0 });
    if (from > 0) expect(readFrom(-from).text).toBe(whole.slice(-from));
    for (let end = from; end <= whole.length; end += 1)
      expect(readFrom(from, end).text).toBe(whole.slice(from, end));
  }
  expect(readFrom(99)).toEqual({ text: '', dropped: 0 });
  expect(logExtent(dir.path, 'stdout')).toMatchObject({ start: 0, end: whole.length });
});

test('a log that is not there yet is empty, and is read once it is', () => {
  using cursor = cursorFrom(0);
  expect(readAll(cursor).text).toBe('');
  expect(logExtent(dir.path, 'stdout')).toEqual({ start: 0, end: 0, modifiedMs: null });
  write('now');
  expect(readAll(cursor).text).toBe('now');
});

test('follows the file through every step of becoming a segment', () => {
  using cursor = cursorFrom(0);
  const end = (): number => logExtent(dir.path, 'stdout').end;
  write('abc');
  expect(readAll(cursor).text).toBe('abc');
  write('de');
  writePlace(0, 0);
  becomeSegment(0);
  expect([readAll(cursor).text, readFrom(1).text, end()]).toEqual(['de', 'bcde', 5]);
  writePlace(0, 5);
  expect([readAll(cursor).text, readFrom(1).text, end()]).toEqual(['', 'bcde', 5]);
  write('fg');
  expect([readAll(cursor).text, readFrom(1).text, end()]).toEqual(['fg', 'bcdefg', 7]);
});

test('what was added before its file became a segment is not missed', () => {
  using cursor = cursorFrom(0);
  write('a');
  expect(readAll(cursor).text).toBe('a');
  write('b');
  becomeSegment(0);
  writePlace(0, 2);
  write('c');
  expect(readAll(cursor)).toEqual({ text: 'bc', dropped: 0 });
});

test('says how much is gone: before the first segment, and under a reader', () => {
  fiveFiles();
  using cursor = cursorFrom(0);
  cursor.read(new Uint8Array(2), 99);
  writePlace(8, 15);
  rmSync(segment(0));
  rmSync(segment(3));
  expect(readAll(cursor)).toEqual({ text: 'ijklmnopq', dropped: 6 });
  expect(readFrom(0)).toEqual({ text: 'ijklmnopq', dropped: 8 });
  // From the end nothing was asked for that is gone.
  expect(readFrom(-99)).toEqual({ text: 'ijklmnopq', dropped: 0 });
});

test('a reader of a log that was emptied never takes new bytes for old ones', () => {
  using cursor = cursorFrom(0);
  write('abc');
  expect(readAll(cursor).text).toBe('abc');
  rmSync(logPath(dir.path, 'stdout'));
  writePlace(3, 3);
  write('defghi');
  expect(readAll(cursor)).toEqual({ text: 'defghi', dropped: 0 });
  rmSync(logPath(dir.path, 'stdout'));
  writePlace(20, 20);
  expect(readAll(cursor)).toEqual({ text: '', dropped: 11 });
  write('u');
  expect(readAll(cursor)).toEqual({ text: 'u', dropped: 0 });
});

test('a segment that is missing, or cut by a power failure, is a gap and no end', () => {
  fiveFiles();
  rmSync(segment(3));
  expect(readFrom(0)).toEqual({ text: 'abcijklmnopq', dropped: 5 });
  rmSync(segment(0));
  rmSync(segment(8));
  expect(readFrom(0)).toEqual({ text: 'klmnopq', dropped: 10 });
  truncateSync(segment(10), 0);
  expect(readFrom(0)).toEqual({ text: 'pq', dropped: 15 });
});

test('lastLinesOffset() looks across segments', () => {
  write('one\ntw');
  becomeSegment(0);
  writePlace(0, 6);
  write('o\nthree\n');
  const lines = (count: number): string => readFrom(lastLinesOffset(dir.path, 'stdout', count)).text;
  expect([0, 1, 2, 3, 9].map(lines)).toEqual([
    '',
    'three\n',
    'two\nthree\n',
    'one\ntwo\nthree\n',
    'one\ntwo\nthree\n',
  ]);
});
