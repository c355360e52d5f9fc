/**
 * Waiting that an `AbortSignal` can end. Every listener is removed when the waiting is over, since signals live as long
 * as the program; what an abort rejects with is the signal's own reason, which `node:timers/promises` hides.
 */

/** Calls `act` when the first of `signals` fires, at once when one has; not after the answer is disposed, and once. */
export function onAbort(signals: readonly (AbortSignal | undefined)[], act: () => void): Disposable {
  const remove = (): void => {
    for (const signal of signals) signal?.removeEventListener('abort', fire);
  };
  const fire = (): void => {
    remove();
    act();
  };
  if (signals.some((signal) => signal?.aborted)) act();
  else for (const signal of signals) signal?.addEventListener('abort', fire, { once: true });
  return { [Symbol.dispose]: remove };
}

/** Resolves when `signal` fires; never rejects. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onAbort([signal], resolve);
  });
}

/** Settles as `work` does, or rejects as soon as `signal` fires, whatever `work` still does. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  let fail: (reason: unknown) => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  using _listening = onAbort([signal], () => fail(signal?.reason));
  // Its fate no longer matters to anybody when the race is lost.
  work.catch(() => undefined);
  return await Promise.race([work, aborted]);
}

/** Waits, and wakes with the signal's reason when that is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await orAborted(over, signal);
  } finally {
    clearTimeout(timer);
  }
}
