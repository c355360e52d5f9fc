import { describe, expect, test } from 'bun:test';
import { BoundedCapture } from '../../process/capture.ts';

function capture(maxBytes: number, ...chunks: string[]): { text: string; dropped: number } {
  const buffer = new BoundedCapture(maxBytes);
  for (const chunk of chunks) buffer.push(Buffer.from(chunk));
  return { text: Buffer.from(buffer.toBytes()).toString(), dropped: buffer.truncatedBytes };
}

describe('BoundedCapture', () => {
  test('keeps everything that fits, whatever the chunks', () => {
    expect(capture(10, '0123456789')).toEqual({ text: '0123456789', dropped: 0 });
    expect(capture(10, '0', '1234', '56', '789')).toEqual({ text: '0123456789', dropped: 0 });
    expect(capture(9, '012345678')).toEqual({ text: '012345678', dropped: 0 });
    expect(capture(10)).toEqual({ text: '', dropped: 0 });
  });

  test('drops the middle and counts it', () => {
    expect(capture(4, '0123456789')).toEqual({ text: '01\n[… 6 bytes dropped …]\n89', dropped: 6 });
    expect(capture(1, 'abc')).toEqual({ text: 'a\n[… 2 bytes dropped …]\n', dropped: 2 });
    expect(capture(0, 'abc')).toEqual({ text: '\n[… 3 bytes dropped …]\n', dropped: 3 });
  });

  test('agrees with slicing for every way to cut the same bytes', () => {
    const bytes = Array.from({ length: 97 }, (_, index) => String.fromCharCode(33 + (index % 90))).join('');
    for (let maxBytes = 2; maxBytes < 100; maxBytes += 5) {
      for (let size = 1; size < 60; size += 3) {
        const chunks = bytes.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        const head = Math.ceil(maxBytes / 2);
        const dropped = Math.max(0, bytes.length - maxBytes);
        const tail = bytes.slice(Math.max(head, bytes.length - (maxBytes - head)));
        const middle = dropped === 0 ? '' : `\n[… ${dropped} bytes dropped …]\n`;
        expect(capture(maxBytes, ...chunks)).toEqual({ text: bytes.slice(0, head) + middle + tail, dropped });
      }
    }
  });
});
