/** The longest delay a timer takes; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls `fire` once after `afterMs`, however long that is, unless disposed before. Never with `undefined`. */
export function deadline(afterMs: number | undefined, fire: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const wait = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, MAX_TIMER_MS);
    timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : fire()), stepMs);
  };
  if (afterMs !== undefined) wait(afterMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
