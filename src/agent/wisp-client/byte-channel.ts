/**
 * Chunks from a sink to an async iterable, one at a time: the writer waits until its chunk was taken, so that
 * a slow reader slows the child down instead of filling memory.
 */
export class ByteChannel implements AsyncIterable<Uint8Array> {
  #chunk: Uint8Array | undefined;
  #end: { readonly error: unknown } | undefined;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;

  /** Resolves when the reader has taken the chunk, or reads no more. */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve();
    this.#chunk = chunk;
    this.#wakeReader();
    return new Promise((resolve) => {
      this.#wakeWriter = resolve;
    });
  }

  /** The reader gets `error` after the last chunk, or a plain end when there is none. */
  close(error?: unknown): void {
    this.#end ??= { error };
    this.#wakeReader();
    this.#wakeWriter();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunk;
      if (chunk !== undefined) {
        this.#chunk = undefined;
        yield chunk;
        this.#wakeWriter();
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }
}
