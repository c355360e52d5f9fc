import { expect, test } from 'bun:test';
import { TerminalModes } from '../../wisp/terminal/terminal-modes.ts';

function restoreAfter(text: string, chunkBytes = Number.POSITIVE_INFINITY): string {
  const modes = new TerminalModes();
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += chunkBytes) modes.track(bytes.subarray(at, at + chunkBytes));
  return modes.restoreSequence();
}

test('TerminalModes undoes what a full-screen program did, and only that', () => {
  const editor = '\x1b[?1049h\x1b[?1;1000;1006h\x1b[?2004h\x1b[?25l\x1b[>1u\x1b[2;40r\x1b=\x1b[5 q\x1b(0text';
  const restore = restoreAfter(editor);
  for (const part of [
    '\x1b[?1049l',
    '\x1b[?1l',
    '\x1b[?1000l',
    '\x1b[?1006l',
    '\x1b[?2004l',
    '\x1b[?25h',
    '\x1b[<1u',
    '\x1b7\x1b[r\x1b8',
    '\x1b>',
    '\x1b[0 q',
    '\x1b(B\x0f',
  ]) {
    expect(restore).toContain(part);
  }
  for (let chunkBytes = 1; chunkBytes < 8; chunkBytes += 1)
    expect(restoreAfter(editor, chunkBytes)).toBe(restore);
  expect(restoreAfter('\x1b[31mplain\r\n')).toBe('\x1b[0m');
});

test('TerminalModes knows what the program undid itself', () => {
  const tidy = '\x1b[?1049h\x1b[?25l\x1b[>1u\x1b[<u\x1b[?25h\x1b[?1049l\x1b[3;4r\x1b[r\x1b(0\x1b(B';
  expect(restoreAfter(tidy)).toBe('\x1b(B\x0f\x1b[0m');
  expect(restoreAfter('\x1b[?1049h\x1b[?1000h\x1b[>4;2m\x1bc')).not.toContain('?1049l');
});

test('TerminalModes ends a sequence that was cut off, and reads none in strings', () => {
  expect(restoreAfter('\x1b[?10')).toBe('\x18\x1b[0m');
  expect(restoreAfter('\x1b]0;title')).toBe('\x18\x1b[0m');
  expect(restoreAfter('\x1b]0;[?1000h\x07')).toBe('\x1b[0m');
  expect(restoreAfter('\x1bP[?1000h\x1b\\')).toBe('\x1b[0m');
  expect(restoreAfter('\x1b]0;x\x1b\\\x1b[?1000h')).toContain('\x1b[?1000l');
});
