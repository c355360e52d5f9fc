import { expect, test } from 'bun:test';
import { LineSplitter } from '../../../../agent/rlm/interpreter/line-splitter.ts';
import { Encoder, parseLine } from '../../../../agent/rlm/interpreter/wire.ts';
import { wreckitErrorOf } from '../../../helpers/error-of.ts';

const NONCE = 'a1b2';

test('parseLine() takes no line without the nonce, however well it is made', () => {
  const message = { type: 'done', id: 1, value: 'x', error: null, output: '' };
  expect(parseLine(JSON.stringify(message), NONCE)).toBeNull();
  expect(parseLine(JSON.stringify({ ...message, nonce: 'other' }), NONCE)).toBeNull();
  expect(parseLine(JSON.stringify({ ...message, nonce: [NONCE] }), NONCE)).toBeNull();
  expect(parseLine(JSON.stringify({ ...message, nonce: NONCE }), NONCE)).toEqual(message as never);
});

test.each([
  ['nothing', ''],
  ['half a message', '{"type":"done"'],
  ['no object', '[1]'],
  ['a reference that is no number', `{"nonce":"${NONCE}","type":"call","id":1,"ref":"process","args":[]}`],
  ['an id that is no whole number', `{"nonce":"${NONCE}","type":"call","id":1.5,"ref":1,"args":[]}`],
  ['arguments that are no list', `{"nonce":"${NONCE}","type":"call","id":1,"ref":1,"args":{"length":1}}`],
  ['an end of nothing', `{"nonce":"${NONCE}","type":"done","id":"1"}`],
  ['an unknown type', `{"nonce":"${NONCE}","type":"__proto__"}`],
])('parseLine() does not take %s', (_what, line) => {
  expect(parseLine(line, NONCE)).toBeNull();
});

test('parseLine() marks what was left out of what child processes printed', () => {
  const line = JSON.stringify({
    ...{ type: 'done', id: 1, output: 'a\n', printed: 'b', printedOmitted: 7, nonce: NONCE },
  });
  expect(parseLine(line, NONCE)).toMatchObject({ output: 'a\nb\n[… 7 characters left out …]\n' });
});

test('Encoder sends a long text once, functions as references, and nothing else as a function', () => {
  const encoder = new Encoder();
  const text = 'x'.repeat(5000);
  const add = (): number => 1;
  const [first, set, ...more] = encoder.encode({
    text,
    inputs: { text, add },
    none: undefined,
    list: [1, null],
  });
  expect([first, more]).toEqual([{ type: 'text', id: 1, text }, []]);
  expect(set).toEqual({
    type: 'set',
    globals: {
      text: { text: 1 },
      inputs: { of: { text: { text: 1 }, add: { fn: 1 } } },
      none: { none: true },
      list: [1, null],
    },
  });
  expect([encoder.functionOf(1), encoder.functionOf(2)]).toEqual([add, undefined]);
  expect(encoder.encode({ again: text })).toEqual([{ type: 'set', globals: { again: { text: 1 } } }]);
});

test('LineSplitter joins chunks, keeps characters whole and refuses a line without end', async () => {
  const lines = new LineSplitter(16);
  const bytes = Buffer.from('añb\ncd\ne');
  expect([...bytes].flatMap((byte) => lines.add(Uint8Array.of(byte)))).toEqual(['añb', 'cd']);
  expect(lines.add(Buffer.from('\n\n'))).toEqual(['e', '']);
  const error = await wreckitErrorOf(() => Promise.resolve(lines.add(Buffer.alloc(17, 97))));
  expect(error.code).toBe('WISP_PROTOCOL');
});
