/** Why a run ends: the first cause wins and is kept, whatever follows. */

import { deadline } from './deadline.ts';

export type EndCause = 'exited' | 'timed_out' | 'aborted' | 'failed';

export class Ending {
  #cause: EndCause | null = null;
  #failure: { readonly error: unknown } | null = null;
  readonly #interruption = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: Disposable;
  readonly #onAbort = (): void => this.#interrupt('aborted');

  constructor(signal: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#deadline = deadline(timeoutMs, () => this.#interrupt('timed_out'));
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
    this.#deadline[Symbol.dispose]();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #interrupt(cause: EndCause): void {
    this.#cause ??= cause;
    this.#interruption.abort();
  }
}
