import { WreckitError } from '../errors.ts';

/** What an engine may lack. Throws `UNSUPPORTED`. */
export function capability<T>(part: T | undefined, what: string): T {
  if (part !== undefined) return part;
  throw new WreckitError('UNSUPPORTED', `${what}: the engine behind this server has none`);
}
