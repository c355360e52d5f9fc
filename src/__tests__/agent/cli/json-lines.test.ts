import { describe, expect, test } from 'bun:test';
import { JsonLines } from '../../../agent/cli/json-lines.ts';

describe('JsonLines', () => {
  test('gives the same lines wherever the bytes are cut', () => {
    const bytes = Buffer.from('{"a":"ü€𝄞"}\n\n  \nnot json\r\n[1]\n{"b":2}');
    for (let size = 1; size <= bytes.length; size += 1) {
      const lines = new JsonLines();
      const seen = [];
      for (let at = 0; at < bytes.length; at += size) seen.push(...lines.push(bytes.subarray(at, at + size)));
      expect([...seen, ...lines.end()]).toEqual([
        { kind: 'value', value: { a: 'ü€𝄞' } },
        { kind: 'text', text: 'not json' },
        { kind: 'text', text: '[1]' },
        { kind: 'value', value: { b: 2 } },
      ]);
    }
  });

  test('drops a line that is too long and goes on with the next', () => {
    const lines = new JsonLines(10);
    const seen = [...lines.push(Buffer.from('123456')), ...lines.push(Buffer.from('789012\n{"a":1}\n'))];
    expect(seen).toEqual([
      { kind: 'too_long', bytes: 12 },
      { kind: 'value', value: { a: 1 } },
    ]);
  });

  test('does not keep the caller’s buffer', () => {
    const lines = new JsonLines();
    const chunk = Buffer.from('{"a":');
    lines.push(chunk);
    chunk.fill(0);
    expect(lines.push(Buffer.from('1}\n'))).toEqual([{ kind: 'value', value: { a: 1 } }]);
  });
});
