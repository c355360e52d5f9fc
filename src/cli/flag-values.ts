/** Parsers of flag values that both programs read alike. Each says what was given and what was wanted. */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';

/** For flags that may be given several times. */
export function collected<T>(parse: (text: string) => T): (text: string, previous?: T[]) => T[] {
  return (text, previous = []) => [...previous, parse(text)];
}

/** A byte offset; negative counts from the end. */
export function byteOffset(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new WreckitError('USAGE', `${quote(text)} is not a byte offset such as "4096" or "-1000"`);
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function isEnvName(name: string): boolean {
  return ENV_NAME.test(name);
}

/** `NAME=VALUE`, or `NAME` alone for the value it has here. The value is never repeated in a message. */
export function envSpec(text: string): string {
  const [name = ''] = text.split('=', 1);
  if (!isEnvName(name)) throw new WreckitError('USAGE', `${quote(name)} is not a variable's name`);
  if (text.includes('\0')) throw new WreckitError('USAGE', `the value of ${name} has a NUL in it`);
  return text;
}
