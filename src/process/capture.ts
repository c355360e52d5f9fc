/** Keeps the head and the tail of a stream within a cap and counts what fell out between them. */

export class BoundedCapture {
  readonly #head: GrowingBuffer;
  readonly #tailBytes: number;
  #tail: Buffer | null = null;
  /** Bytes that went to the tail ring since it was begun. */
  #tailTotal = 0;

  constructor(maxBytes: number) {
    const headBytes = Math.ceil(maxBytes / 2);
    this.#head = new GrowingBuffer(headBytes);
    this.#tailBytes = maxBytes - headBytes;
  }

  push(chunk: Uint8Array): void {
    const rest = this.#head.push(chunk);
    if (rest.length === 0) return;
    this.#tailTotal += rest.length;
    if (this.#tailBytes === 0) return;
    this.#tail ??= Buffer.allocUnsafe(this.#tailBytes);
    const kept = rest.subarray(Math.max(0, rest.length - this.#tailBytes));
    const at = (this.#tailTotal - kept.length) % this.#tailBytes;
    const first = Math.min(kept.length, this.#tailBytes - at);
    this.#tail.set(kept.subarray(0, first), at);
    this.#tail.set(kept.subarray(first), 0);
  }

  /** Bytes that are in neither the head nor the tail. */
  get truncatedBytes(): number {
    return Math.max(0, this.#tailTotal - this.#tailBytes);
  }

  /** What was kept; where bytes were dropped a line in the middle says how many. */
  toBytes(): Uint8Array {
    const head = this.#head.toBytes();
    if (this.#tailTotal === 0) return head;
    const dropped = this.truncatedBytes;
    if (dropped === 0) return Buffer.concat([head, this.#orderedTail()]);
    return Buffer.concat([head, Buffer.from(`\n[… ${dropped} bytes dropped …]\n`), this.#orderedTail()]);
  }

  #orderedTail(): Uint8Array {
    if (this.#tail === null) return new Uint8Array(0);
    if (this.#tailTotal <= this.#tailBytes) return this.#tail.subarray(0, this.#tailTotal);
    const at = this.#tailTotal % this.#tailBytes;
    return Buffer.concat([this.#tail.subarray(at), this.#tail.subarray(0, at)]);
  }
}

/** One buffer that doubles, so that a million small chunks cost no more than their bytes. */
class GrowingBuffer {
  readonly #maxBytes: number;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what fits and returns the rest. */
  push(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.#maxBytes - this.#length);
    this.#reserve(this.#length + taken.length);
    this.#bytes.set(taken, this.#length);
    this.#length += taken.length;
    return chunk.subarray(taken.length);
  }

  toBytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(
      Math.min(this.#maxBytes, Math.max(length, this.#bytes.length * 2, 4096)),
    );
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
