import { WreckitError } from '../../errors.ts';

/** The `WreckitError` that `action` throws or rejects with; anything else fails the test. */
export async function wreckitErrorOf(action: () => unknown): Promise<WreckitError> {
  try {
    await action();
  } catch (thrown) {
    if (thrown instanceof WreckitError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}
