/** What a check of `wreckit doctor` says, and how one is run so that it never ends the others. */
import type { Check } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';

export type Outcome = Pick<Check, 'status' | 'message' | 'fix'>;

export function ok(message: string): Outcome {
  return { status: 'ok', message, fix: null };
}

export function warn(message: string, fix: string): Outcome {
  return { status: 'warn', message, fix };
}

export function fail(message: string, fix: string): Outcome {
  return { status: 'fail', message, fix };
}

/** An error is a failing check; its hint is the fix. */
export async function checked(name: string, check: () => Promise<Outcome> | Outcome): Promise<Check> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const { message, hint } = toWreckitError(error);
    return { name, ...fail(message, hint) };
  }
}
