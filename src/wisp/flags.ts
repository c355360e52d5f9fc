/** Parsers of flag values: each says what was given and what was wanted, before anything is touched. */

import { quote } from '../contract/names.ts';
import type { Isolation, Network } from '../contract/schemas.ts';
import { parseDurationMs, parseSizeBytes } from '../contract/units.ts';
import { WreckitError } from '../errors.ts';

/** `key=value` pairs, the last of a key wins. */
export function collectedPairs(
  parse: (text: string) => readonly [string, string],
): (text: string, previous?: Record<string, string>) => Record<string, string> {
  return (text, previous = {}) => {
    const [key, value] = parse(text);
    return { ...previous, [key]: value };
  };
}

export function positiveInteger(text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw usage(`${quote(text)} is not a whole number above 0`);
}

export function cpuCount(text: string): number {
  const number = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw usage(`${quote(text)} is not a number of CPUs such as "1" or "0.5"`);
}

export function sizeBytes(text: string): number {
  const bytes = parseSizeBytes(text);
  if (bytes > 0) return bytes;
  throw usage(`size: ${quote(text)} is not above 0`);
}

/** Timers can't wait longer than this (24.8 days). */
const MAX_DURATION_MS = 2 ** 31 - 1;

export function durationMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > 0 && ms <= MAX_DURATION_MS) return ms;
  throw usage(`duration: ${quote(text)} is not between 1ms and 24d`);
}

/** A grace of 0 is none at all. */
export function graceMs(text: string): number {
  return /^0+(ms|s)?$/.test(text) ? 0 : durationMs(text);
}

/** 0 for `never`. */
export function timeOrNever(text: string): number {
  return text === 'never' ? 0 : durationMs(text);
}

/** Like `durationMs`, for how long a sprite is kept: years, if need be. */
export function lifetimeMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > 0) return ms;
  throw usage(`duration: ${quote(text)} is not above 0`);
}

export function outputStream(text: string): 'stdout' | 'stderr' {
  if (text === 'stdout' || text === 'stderr') return text;
  throw usage(`${quote(text)} is neither "stdout" nor "stderr"`);
}

const LABEL_KEY = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;
const MAX_LABEL_CHARS = 256;

export function label(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(at, 0));
  const value = text.slice(at + 1);
  if (at === -1 || !LABEL_KEY.test(key)) throw usage(`${quote(text)} is not a label such as "team=web"`);
  if (value.length > MAX_LABEL_CHARS || /\p{Cc}/u.test(value)) {
    throw usage(`the value of ${quote(key)} is longer than ${MAX_LABEL_CHARS} or has control characters`);
  }
  return [key, value];
}

export function network(text: string): Network {
  if (text === 'open' || text === 'filtered' || text === 'none') return text;
  throw usage(`${quote(text)} is neither "none", "filtered" nor "open"`);
}

export function isolation(text: string): Isolation {
  if (text === 'namespace' || text === 'userkernel' || text === 'vm') return text;
  throw usage(`${quote(text)} is neither "namespace", "userkernel" nor "vm"`);
}

const DOMAIN = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function domain(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length <= 253 && DOMAIN.test(lower)) return lower;
  throw usage(`${quote(text)} is not a domain such as "npmjs.org" or "*.npmjs.org"`);
}

export function userName(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(text)) return text;
  throw usage(`${quote(text)} is not a user's name such as "sprite" or "root"`);
}

export function prefix(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(text)) return text;
  throw usage(`${quote(text)} is not the beginning of a sprite's name`);
}

/** `TERM`, `SIGTERM`, `sigterm` → `SIGTERM`. */
export function signalName(text: string): string {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  if (SIGNALS.has(name)) return name;
  throw usage(`${quote(text)} is not a signal such as "TERM", "INT" or "KILL"`);
}

const SIGNALS = new Set(
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
    .split(' ')
    .map((name) => `SIG${name}`),
);

/** A directory inside; which one is there is for the sprite to say. */
export function insideDir(text: string): string {
  if (text.startsWith('/') && !text.includes('\0')) return text;
  throw new WreckitError('PATH_INVALID', `${quote(text)} is not an absolute path`);
}

/** Octal text such as `0644`. */
export function fileMode(text: string): string {
  if (/^[0-7]{3,4}$/.test(text)) return text;
  throw usage(`${quote(text)} is not an octal mode such as "0644"`);
}

export type OutputEncoding = 'utf8' | 'base64';

export function outputEncoding(text: string): OutputEncoding {
  if (text === 'utf8' || text === 'base64') return text;
  throw usage(`${quote(text)} is neither "utf8" nor "base64"`);
}

/** Throws when more than one of the flags was given that can't go together. */
export function refuseTogether(verb: string, flags: Readonly<Record<string, boolean>>, why: string): void {
  const given = Object.keys(flags).filter((flag) => flags[flag]);
  if (given.length < 2) return;
  throw new WreckitError('USAGE', `${verb}: ${given.join(' and ')} can't go together, ${why}`);
}

function usage(message: string): WreckitError {
  return new WreckitError('USAGE', message);
}
