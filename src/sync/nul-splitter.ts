/** Fields that end with NUL, out of chunks of any size, one character per byte. */
export class NulSplitter {
  #rest = '';
  readonly #maxFieldBytes: number;

  /** A field that is longer is cut in pieces, so that memory stays bounded; no name is that long. */
  constructor(maxFieldBytes = 64 * 1024) {
    this.#maxFieldBytes = maxFieldBytes;
  }

  push(chunk: Uint8Array): string[] {
    const text =
      this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const fields = text.split('\0');
    this.#rest = fields.pop() ?? '';
    if (this.#rest.length > this.#maxFieldBytes) {
      fields.push(this.#rest);
      this.#rest = '';
    }
    return fields;
  }
}
