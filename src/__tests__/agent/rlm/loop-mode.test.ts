import { expect, test } from 'bun:test';
import { contextIndex, promptWithContext } from '../../../agent/rlm/context-documents.ts';
import { AUTO_RLM_CHARS, loopModeOf } from '../../../agent/rlm/loop-mode.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';

const document = (chars: number) => ({ name: 'a', text: 'x'.repeat(chars) });

test('loopModeOf() goes by the size of prompt and context together, unless the user says which', () => {
  const half = AUTO_RLM_CHARS / 2;
  expect(loopModeOf({}, 'x'.repeat(half), [document(half)])).toBe('chat');
  expect(loopModeOf({}, 'x'.repeat(half), [document(half), document(1)])).toBe('rlm');
  expect(loopModeOf({ mode: 'auto' }, 'x'.repeat(AUTO_RLM_CHARS + 1), [])).toBe('rlm');
  expect(loopModeOf({ mode: 'chat' }, 'x', [document(AUTO_RLM_CHARS)])).toBe('chat');
  expect(loopModeOf({ mode: 'rlm' }, 'x', [])).toBe('rlm');
});

test('loopModeOf() refuses a chat over more than a conversation can hold', async () => {
  const error = await wreckitErrorOf(async () => loopModeOf({ mode: 'chat' }, 'x', [document(5_000_000)]));
  expect([error.code, error.hint.includes('"rlm"')]).toEqual(['USAGE', true]);
});

test('promptWithContext() puts each document after the task, under its name', () => {
  expect(promptWithContext('look', [{ name: 'a "b".txt', text: 'one' }])).toBe(
    'look\n\n<document name="a \\"b\\".txt">\none\n</document>',
  );
  expect(promptWithContext('look', [])).toBe('look');
});

test('contextIndex() has a line for each document, up to a hundred', () => {
  expect(
    contextIndex([
      { name: 'a', text: 'one\ntwo' },
      { name: 'b', text: '' },
    ]),
  ).toBe('[0] a: 7 characters, 2 lines\n[1] b: 0 characters, 0 lines');
  const many = contextIndex(Array.from({ length: 103 }, () => document(1))).split('\n');
  expect([many.length, many.at(-1)]).toEqual([101, 'and 3 more']);
});
