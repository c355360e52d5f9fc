/** Waits for a condition instead of for a time. */
export interface EventuallyOptions {
  /** Default 5000. */
  timeoutMs?: number;
  /** What was waited for, for the message. */
  what?: string;
}

/** Calls `probe` until it returns something truthy, and returns that; throws after the deadline. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 5000, what = 'the condition' }: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const endAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > endAt) throw new Error(`wait for ${what}: not seen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
