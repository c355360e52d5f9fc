import { describe, expect, test } from 'bun:test';
import { decodeUtf8, Utf8Stream, wholeUtf8 } from '../../process/text.ts';

const WORDS = '\uFEFFaé€𝄞 日本 🏴‍☠️';

describe('decodeUtf8()', () => {
  test('replaces what is not UTF-8 and keeps the rest, a byte order mark too', () => {
    expect(decodeUtf8(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\uFFFDb');
    expect(decodeUtf8(Buffer.from(WORDS))).toBe(WORDS);
  });
});

describe('Utf8Stream', () => {
  test('gives the same text wherever the bytes are cut', () => {
    const bytes = Buffer.from(WORDS);
    for (let size = 1; size <= bytes.length; size += 1) {
      const stream = new Utf8Stream();
      let text = '';
      for (let at = 0; at < bytes.length; at += size) text += stream.push(bytes.subarray(at, at + size));
      expect(text + stream.end()).toBe(WORDS);
    }
  });

  test('says at the end that a character was cut off', () => {
    const stream = new Utf8Stream();
    expect(stream.push(Buffer.from('€').subarray(0, 2))).toBe('');
    expect(stream.end()).toBe('\uFFFD');
  });
});

test('wholeUtf8() leaves out a character that was cut in two, and nothing else', () => {
  const bytes = Buffer.from('aé€😀');
  const ends = [...bytes.keys()].map((index) => wholeUtf8(bytes.subarray(0, index + 1)).byteLength);
  expect(ends).toEqual([1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
  expect(wholeUtf8(Buffer.from('€').subarray(0, 2)).byteLength).toBe(2);
  expect(wholeUtf8(new Uint8Array()).byteLength).toBe(0);
  expect(wholeUtf8(Buffer.from([0x61, 0x80, 0x80, 0x80, 0x80])).byteLength).toBe(5);
});
