import { constants } from 'node:os';
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';

/** `SIGTERM` of 15; null for a number that has no name. */
export function signalName(number: number): string | null {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? null;
}

/** The name without SIG, as `kill -s` takes it, of `term`, `SIGTERM` or `15`. Throws `USAGE`. */
export function shortSignalName(name: string): string {
  const asked = /^\d+$/.test(name) ? (signalName(Number(name)) ?? '') : name.toUpperCase();
  const full = asked.startsWith('SIG') ? asked : `SIG${asked}`;
  if (Object.hasOwn(constants.signals, full)) return full.slice(3);
  throw new WreckitError('USAGE', `signal: ${quote(name)} is not a signal such as "TERM" or "SIGINT"`);
}
