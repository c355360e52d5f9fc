/** Reads exact amounts from a stream of chunks of any size. Holds one chunk at a time. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** At most `maxBytes` of what comes next, valid until the next call; null at the end. */
  async readSome(maxBytes: number): Promise<Uint8Array | null> {
    while (this.#chunk.length === 0) {
      if (this.#ended) return null;
      const next = await this.#chunks.next();
      if (next.done === true) this.#ended = true;
      else this.#chunk = next.value;
    }
    const part = this.#chunk.subarray(0, maxBytes);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  /** Exactly `sizeBytes`, or fewer where the stream ends before. */
  async readExactly(sizeBytes: number): Promise<Uint8Array> {
    if (this.#chunk.length >= sizeBytes) {
      const whole = this.#chunk.subarray(0, sizeBytes);
      this.#chunk = this.#chunk.subarray(sizeBytes);
      return whole;
    }
    const collected = new Uint8Array(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const part = await this.readSome(sizeBytes - filled);
      if (part === null) return collected.subarray(0, filled);
      collected.set(part, filled);
      filled += part.length;
    }
    return collected;
  }

  /** Skips; returns the bytes that were really there. */
  async skip(sizeBytes: number): Promise<number> {
    let skipped = 0;
    while (skipped < sizeBytes) {
      const part = await this.readSome(sizeBytes - skipped);
      if (part === null) break;
      skipped += part.length;
    }
    return skipped;
  }

  /** Tells the stream that nobody reads on. */
  async cancel(): Promise<void> {
    this.#ended = true;
    this.#chunk = new Uint8Array(0);
    await this.#chunks.return?.();
  }
}
