/** Why a run ends: the first cause wins and is kept, whatever follows. */

export type EndCause = 'exited' | 'timed_out' | 'aborted' | 'failed';

/** The longest delay a timer takes; longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Ending {
  #cause: EndCause | null = null;
  #failure: { readonly error: unknown } | null = null;
  readonly #interruption = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#interrupt('aborted');

  constructor(signal: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs !== undefined && timeoutMs <= MAX_TIMER_MS)
      this.#timer = setTimeout(() => this.#interrupt('timed_out'), timeoutMs);
  }

  get cause(): EndCause | null {
    return this.#cause;
  }

  /** What a sink or the stdin source threw; kept even when it wasn't the first cause, for it isn't the child's. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** Fires at the deadline, an abort or a failure, also when the child had exited before. */
  get interrupted(): AbortSignal {
    return this.#interruption.signal;
  }

  exited(): void {
    this.#cause ??= 'exited';
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#interrupt('failed');
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #interrupt(cause: EndCause): void {
    this.#cause ??= cause;
    this.#interruption.abort();
  }
}

/** Resolves when `signal` fires; never rejects. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
