import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { WreckitError } from '../../errors.ts';
import { parseEnvFile } from '../../wisp/env-file.ts';
import { environmentOf } from '../../wisp/environment.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function parse(text: string): Record<string, string> {
  return parseEnvFile(Buffer.from(text), 'file.env');
}

test('parseEnvFile() reads plain and quoted values, comments and CRLF', () => {
  const text = [
    '\ufeff# comment',
    '',
    'PLAIN=a b # not a comment = "x"',
    'export EXPORTED = spaced  \r',
    'SINGLE=\'a $b \\n "c"\' # comment',
    'DOUBLE="two\\nlines \\"q\\" \\$x \\\\ \\d"',
    'EMPTY=',
    'EMPTY_QUOTED=""',
    '  INDENTED=yes',
    'TWICE=1',
    'TWICE=2',
  ].join('\n');
  expect(parse(text)).toEqual({
    PLAIN: 'a b # not a comment = "x"',
    EXPORTED: 'spaced',
    SINGLE: 'a $b \\n "c"',
    DOUBLE: 'two\nlines "q" $x \\ \\d',
    EMPTY: '',
    EMPTY_QUOTED: '',
    INDENTED: 'yes',
    TWICE: '2',
  });
});

test('parseEnvFile() names the line at fault and never the value', () => {
  for (const [text, problem] of [
    ['OK=1\nsecret-token', 'line 2: has no "="'],
    ['1A=secret-token', "line 1: what stands before the = is not a variable's name"],
    ['=secret-token', "line 1: what stands before the = is not a variable's name"],
    ['A="secret-token', 'line 1: the quoted value of A does not end with its quote'],
    ["A='secret-token' more", 'line 1: the quoted value of A does not end with its quote'],
    ['A=secret\0token', 'has a NUL in it'],
  ] as const) {
    try {
      parse(text);
      throw new Error(`accepted: ${text}`);
    } catch (thrown) {
      if (!(thrown instanceof WreckitError)) throw thrown;
      expect(thrown.code).toBe('USAGE');
      expect(thrown.message).toContain(problem);
      expect(JSON.stringify([thrown.message, thrown.hint, thrown.details])).not.toContain('secret');
    }
  }
  expect(() => parseEnvFile(Buffer.from([0x41, 0x3d, 0xff]), 'f')).toThrow('is not UTF-8');
});

test('environmentOf() merges files and flags, the later winning, and copies what is named alone', () => {
  using dir = tempDir();
  writeFileSync(dir.join('one'), 'A=1\nB=1\nC=1');
  writeFileSync(dir.join('two'), 'B=2\nC=2');
  const surroundings = { cwd: dir.path, io: { env: { HERE: 'yes' } } };
  const flags = { envFile: ['one', 'two'], env: ['C=3=4', 'HERE', 'EMPTY='] };
  expect(environmentOf(flags, surroundings)).toEqual({ A: '1', B: '2', C: '3=4', HERE: 'yes', EMPTY: '' });
  expect(() => environmentOf({ env: ['NOT_HERE'] }, surroundings)).toThrow(
    '--env: "NOT_HERE" has no value here',
  );
  expect(() => environmentOf({ envFile: ['nowhere'] }, surroundings)).toThrow("can't be read: ENOENT");
  expect(() => environmentOf({ envFile: ['.'] }, surroundings)).toThrow('is a directory');
});
