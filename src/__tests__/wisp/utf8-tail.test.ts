import { expect, test } from 'bun:test';
import { incompleteTailBytes, orphanHeadBytes } from '../../wisp/utf8-tail.ts';

test('incompleteTailBytes() finds a character that is not whole yet', () => {
  for (const character of ['a', 'é', '€', '😀']) {
    const bytes = Buffer.from(`x${character}`);
    expect(incompleteTailBytes(bytes)).toBe(0);
    for (let cut = 1; cut < bytes.length - 1; cut += 1) {
      expect(incompleteTailBytes(bytes.subarray(0, bytes.length - cut))).toBe(bytes.length - 1 - cut);
    }
  }
  for (const bytes of [[], [0x80], [0xff], [0x80, 0x80, 0x80, 0x80], [0xc0], [0xf5]]) {
    expect(incompleteTailBytes(Buffer.from(bytes))).toBe(0);
  }
});

test('orphanHeadBytes() counts the rest of a character that began before', () => {
  const bytes = Buffer.from('😀x');
  expect([0, 1, 2, 3, 4].map((from) => orphanHeadBytes(bytes.subarray(from)))).toEqual([0, 3, 2, 1, 0]);
});
