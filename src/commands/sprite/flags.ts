/** Parsers of flags that are handed on to wisp: each checks the text and keeps it as it was written. */
import { quote } from '../../contract/names.ts';
import { parseDurationMs, parseSizeBytes } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';

/** `key=value`, the last of a key wins. */
export function collectedPairs(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw usage(`${quote(text)} is not of the form KEY=VALUE`);
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

export function size(text: string): string {
  if (parseSizeBytes(text) > 0) return text;
  throw usage(`size: ${quote(text)} is not above 0`);
}

export function duration(text: string): string {
  if (parseDurationMs(text) > 0) return text;
  throw usage(`duration: ${quote(text)} is not above 0`);
}

/** 0 is none at all. */
export function grace(text: string): string {
  parseDurationMs(text);
  return text;
}

export function count(text: string): string {
  if (/^[1-9]\d{0,14}$/.test(text)) return text;
  throw usage(`${quote(text)} is not a whole number above 0`);
}

export function cpus(text: string): string {
  if (/^\d{1,6}(\.\d{1,6})?$/.test(text) && Number(text) > 0) return text;
  throw usage(`${quote(text)} is not a number of CPUs such as "1" or "0.5"`);
}

export function oneOf<const T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw usage(`${quote(text)} is none of ${words.map((word) => `"${word}"`).join(', ')}`);
  };
}

/** Octal permission bits. */
export function mode(text: string): string {
  if (/^[0-7]{3,4}$/.test(text)) return text;
  throw usage(`${quote(text)} is not a mode such as "644" or "0755"`);
}

const MAX_PORT = 65_535;

/** `8080`, or `3000:8080` (here:there), `0:8080` (any:there). */
export function portPair(text: string): string {
  const [, first = '', , second] = /^(\d{1,5})(:(\d{1,5}))?$/.exec(text) ?? [];
  const remote = Number(second ?? first);
  if (first !== '' && remote >= 1 && remote <= MAX_PORT && Number(first) <= MAX_PORT) return text;
  throw usage(`${quote(text)} is not a port such as "8080", nor two such as "3000:8080" (here:there)`);
}

/** `never`, too. */
export function durationOrNever(text: string): string {
  return text === 'never' ? text : duration(text);
}

function usage(message: string): WreckitError {
  return new WreckitError('USAGE', message);
}
