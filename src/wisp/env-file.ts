/**
 * Files of `NAME=VALUE` lines. Empty lines and those that begin with `#` are left out; `export ` before a
 * name is accepted; line ends may be CRLF.
 *
 *   A=plain text # and all of it     the rest of the line as it is, without the blanks around it
 *   B='kept $as it\is'               to the closing quote
 *   C="two\nlines, \"quoted\""       \n \r \t \\ \" \$ and \` mean what they mean elsewhere
 *
 * Messages name the line and never the value.
 */

import { isEnvName } from '../cli/flag-values.ts';
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';

/** Throws `USAGE`. */
export function parseEnvFile(bytes: Uint8Array, shown: string): Record<string, string> {
  const text = decode(bytes, shown);
  const values: Record<string, string> = {};
  for (const [index, rawLine] of text.split('\n').entries()) {
    const line = rawLine.replace(/\r$/, '').trimStart();
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fault = (problem: string) => {
      return new WreckitError('USAGE', `--env-file: ${quote(shown)} line ${index + 1}: ${problem}`, {
        hint: 'give one NAME=VALUE per line',
      });
    };
    const at = line.indexOf('=');
    const name = (at === -1 ? line : line.slice(0, at)).replace(/^export\s+/, '').trimEnd();
    if (at === -1) throw fault('has no "="');
    if (!isEnvName(name)) throw fault("what stands before the = is not a variable's name");
    const value = parseValue(line.slice(at + 1).trim());
    if (value === null) throw fault(`the quoted value of ${name} does not end with its quote`);
    values[name] = value;
  }
  return values;
}

const QUOTED = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function parseValue(text: string): string | null {
  if (!/^['"]/.test(text)) return text;
  const match = QUOTED.exec(text);
  if (match === null) return null;
  const [, single, double = ''] = match;
  if (single !== undefined) return single;
  return double.replace(/\\(.)/g, (whole, letter: string) => {
    if (ESCAPES[letter] !== undefined) return ESCAPES[letter];
    return /["\\$`]/.test(letter) ? letter : whole;
  });
}

function decode(bytes: Uint8Array, shown: string): string {
  if (bytes.includes(0)) {
    throw new WreckitError('USAGE', `--env-file: ${quote(shown)} has a NUL in it, it is not a text file`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new WreckitError('USAGE', `--env-file: ${quote(shown)} is not UTF-8`, { cause });
  }
}
