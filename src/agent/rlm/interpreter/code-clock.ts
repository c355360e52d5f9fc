/** Time that code itself has used: it stands still while the code waits for a function of this machine. */
export class CodeClock implements Disposable {
  readonly #onLate: () => void;
  #leftMs: number;
  #since: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #waits = 0;

  constructor(limitMs: number, onLate: () => void) {
    this.#leftMs = limitMs;
    this.#onLate = onLate;
    this.#go();
  }

  /** Until the answer is disposed, time does not count. */
  pause(): Disposable {
    if (this.#waits === 0) this.#halt();
    this.#waits += 1;
    return {
      [Symbol.dispose]: () => {
        this.#waits -= 1;
        if (this.#waits === 0) this.#go();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#waits += 1;
    this.#halt();
  }

  #go(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onLate, this.#leftMs);
  }

  #halt(): void {
    clearTimeout(this.#timer);
    if (this.#since !== null) this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#since));
    this.#since = null;
  }
}
