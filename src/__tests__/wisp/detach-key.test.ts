import { expect, test } from 'bun:test';
import { DetachScanner, parseDetachKey } from '../../wisp/terminal/detach-key.ts';

const backslash = parseDetachKey('ctrl-\\');

/** What goes out of each read, and whether the last one ended it. */
function scanAll(reads: readonly string[], key = backslash): { sent: string[]; isDetached: boolean } {
  const scanner = new DetachScanner(key);
  let isDetached = false;
  const sent = reads.map((read) => {
    const result = scanner.scan(Buffer.from(read));
    isDetached ||= result.isDetached;
    return Buffer.from(result.send).toString();
  });
  return { sent, isDetached };
}

test('DetachScanner sends everything on at once until the key', () => {
  expect(scanAll(['\x1b', '[A', 'é', '\x03', '\x1b[200~'])).toEqual({
    sent: ['\x1b', '[A', 'é', '\x03', '\x1b[200~'],
    isDetached: false,
  });
  expect(scanAll(['ls\r\x1cdropped'])).toEqual({ sent: ['ls\r'], isDetached: true });
});

test('DetachScanner knows the key as extended keyboard modes send it, also in two reads', () => {
  for (const sequence of ['\x1b[92;5u', '\x1b[92;5:1u', '\x1b[27;5;92~']) {
    expect(scanAll([`a${sequence}b`])).toEqual({ sent: ['a'], isDetached: true });
  }
  expect(scanAll(['a\x1b[9', '2;5ub'])).toEqual({ sent: ['a\x1b[9', ''], isDetached: true });
});

test('DetachScanner takes pasted text for text, wherever its marks are cut', () => {
  const paste = '\x1b[200~a\x1cb\x1b[201~';
  for (let cut = 1; cut < paste.length; cut += 1) {
    const reads = [paste.slice(0, cut), paste.slice(cut)];
    expect(scanAll(reads)).toEqual({ sent: reads, isDetached: false });
    expect(scanAll([...reads, 'x\x1c']).isDetached).toBe(true);
  }
});

test('DetachScanner without a key never detaches', () => {
  expect(scanAll(['\x1c'], parseDetachKey('none'))).toEqual({ sent: ['\x1c'], isDetached: false });
});

test('parseDetachKey() reads the usual spellings and refuses keys a session needs', () => {
  for (const text of ['ctrl-]', 'Ctrl+]', 'C-]', '^]']) {
    expect(parseDetachKey(text)?.sequences[0]).toEqual(Buffer.from([0x1d]));
  }
  expect(parseDetachKey('ctrl-A')?.sequences[0]).toEqual(Buffer.from([1]));
  for (const text of [
    '',
    'a',
    'ctrl-',
    'ctrl-ab',
    'ctrl-[',
    'ctrl-m',
    'ctrl-i',
    'ctrl-j',
    'alt-x',
    'ctrl-é',
  ]) {
    expect(() => parseDetachKey(text)).toThrow('detach key');
  }
});
