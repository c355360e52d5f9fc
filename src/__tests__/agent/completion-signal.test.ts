import { describe, expect, test } from 'bun:test';
import { CompletionSignal } from '../../agent/completion-signal.ts';

const SIGNAL = '<promise>COMPLETE</promise>';
const PROMPT = `Fix the failing test.\nWhen you are done, print:\n${SIGNAL}\nand nothing after it.`;

function isSeen(output: string, { prompt = PROMPT, size = output.length || 1 } = {}): boolean {
  const signal = new CompletionSignal(SIGNAL, prompt);
  for (let at = 0; at < output.length; at += size) signal.push(output.slice(at, at + size));
  return signal.isSeen();
}

describe('CompletionSignal', () => {
  test.each([
    ['alone', `${SIGNAL}\n`],
    ['after words', `I fixed it.\n${SIGNAL}`],
    ['after an echo of the prompt', `${PROMPT}\nI fixed it. ${SIGNAL}`],
    ['on a line of its own after an echo', `> ${PROMPT}\n\n${SIGNAL}`],
  ])('is seen %s', (_name, output) => {
    for (const size of [1, 5, output.length]) expect(isSeen(output, { size })).toBe(true);
  });

  test.each([
    ['the prompt', PROMPT],
    ['a quoted prompt', PROMPT.replace(/^/gm, '│ > ')],
    ['a coloured prompt', PROMPT.replace(/\n/g, '\x1b[0m\n\x1b[2m')],
    ['a wrapped prompt', PROMPT.replace('done, print', 'done,\n    print')],
    ['a prompt in JSON', JSON.stringify({ role: 'user', content: PROMPT })],
    ['a prompt in JSON in JSON', JSON.stringify(JSON.stringify({ content: PROMPT }))],
    ['the prompt twice', `${PROMPT}\n---\n${PROMPT}`],
    ['half a signal', 'I am done <promise>COMPLETE</prom'],
    ['nothing', ''],
  ])('is not seen in %s', (_name, output) => {
    for (const size of [1, 5, output.length || 1]) expect(isSeen(output, { size })).toBe(false);
  });

  test('is told from its echo where the prompt begins with it', () => {
    const prompt = `${SIGNAL} is what you print when the work is done. Fix the test.`;
    for (const size of [1, 9, 1000]) {
      expect(isSeen(`echo: ${prompt}`, { prompt, size })).toBe(false);
      expect(isSeen(`echo: ${prompt}\nDone. ${SIGNAL}`, { prompt, size })).toBe(true);
      expect(isSeen(SIGNAL, { prompt: SIGNAL, size })).toBe(false);
    }
  });

  test('is found far into a long output, and not lost between two chunks', () => {
    const words = 'Looking at the next file. '.repeat(4000);
    for (const size of [997, 4096]) expect(isSeen(`${PROMPT}${words}${SIGNAL}${words}`, { size })).toBe(true);
    expect(isSeen(`${words}${PROMPT}${words}`, { size: 997 })).toBe(false);
  });

  test('is seen where the prompt does not name it', () => {
    expect(isSeen(SIGNAL, { prompt: 'Fix the test.' })).toBe(true);
  });
});
