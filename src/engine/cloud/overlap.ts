/**
 * Goes on with output after a connection was lost, at a server that can't be asked for an offset: it repeats
 * the end of what there is (its scrollback), and where in that the known part ends is found by the known part
 * itself.
 */

/** What is remembered of a stream to find the place again. */
const TAIL_BYTES = 64 * 1024;
/** No scrollback is looked through beyond this. */
const MAX_SEARCH_BYTES = 8 * 1024 * 1024;

/** The last bytes of a stream. */
export class Tail {
  #bytes = Buffer.alloc(0);
  #isWhole = true;

  push(bytes: Uint8Array): void {
    const all = Buffer.concat([this.#bytes, bytes]);
    if (all.length > TAIL_BYTES) this.#isWhole = false;
    this.#bytes = Buffer.from(all.subarray(-TAIL_BYTES));
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Nothing came before these. */
  get isWhole(): boolean {
    return this.#isWhole;
  }
}

export interface Continuation {
  readonly bytes: Buffer;
  /** False: what is here may repeat what was seen, or leave out what came between. */
  readonly isExact: boolean;
}

/** Of one stream: takes what the server repeats until the place is found. */
export class Overlap {
  readonly #tail: Tail;
  #held = Buffer.alloc(0);

  constructor(tail: Tail) {
    this.#tail = tail;
  }

  /** Null: not found yet, more is needed. */
  push(bytes: Uint8Array): Continuation | null {
    const known = this.#tail.bytes;
    this.#held = Buffer.concat([this.#held, bytes]);
    if (known.length === 0) return this.#take(0, true);
    if (this.#held.length < known.length) return null;
    // All there was is known: then it is also what a complete scrollback begins with.
    if (this.#tail.isWhole && this.#held.subarray(0, known.length).equals(known)) {
      return this.#take(known.length, true);
    }
    const first = this.#held.indexOf(known);
    if (first !== -1) {
      const isOnly = this.#held.indexOf(known, first + 1) === -1;
      return this.#take(first + known.length, isOnly);
    }
    return this.#held.length > MAX_SEARCH_BYTES ? this.#take(0, false) : null;
  }

  /** The server has nothing more to repeat: what is held is all there is. */
  giveUp(): Continuation {
    const known = this.#tail.bytes;
    // Less than was known, and the same: nothing new.
    const isRepeat = known.subarray(known.length - this.#held.length).equals(this.#held);
    return isRepeat ? this.#take(this.#held.length, this.#held.length > 0) : this.#take(0, false);
  }

  #take(from: number, isExact: boolean): Continuation {
    const bytes = this.#held.subarray(from);
    this.#held = Buffer.alloc(0);
    return { bytes, isExact };
  }
}
