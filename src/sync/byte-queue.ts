/** Turns a sink that is called with chunks into a stream that is read, one chunk in flight. */
export class AsyncByteQueue implements AsyncIterable<Uint8Array> {
  #chunk: {
    readonly bytes: Uint8Array;
    readonly taken: () => void;
    readonly failed: (error: unknown) => void;
  } | null = null;
  #wake: (() => void) | null = null;
  #hasEnded = false;
  #error: { readonly cause: unknown } | null = null;

  /** Settles when the reader has come for the next chunk; rejects once reading has failed. */
  push(bytes: Uint8Array): Promise<void> {
    if (this.#error !== null) return Promise.reject(this.#error.cause);
    if (this.#hasEnded) return Promise.resolve();
    return new Promise((taken, failed) => {
      this.#chunk = { bytes, taken, failed };
      this.#wake?.();
    });
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** The reader gave up: whoever pushes is told. */
  fail(cause: unknown): void {
    this.#error ??= { cause };
    this.#chunk?.failed(cause);
    this.#chunk = null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunk;
        if (chunk !== null) {
          yield chunk.bytes;
          if (this.#chunk === chunk) this.#chunk = null;
          chunk.taken();
        } else if (this.#hasEnded) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = null;
        }
      }
    } finally {
      // A reader that stops early wants no more: what is still pushed goes nowhere.
      this.#hasEnded = true;
      this.#chunk?.taken();
      this.#chunk = null;
    }
  }
}
