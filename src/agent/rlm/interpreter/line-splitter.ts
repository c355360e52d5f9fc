/** Lines out of chunks of bytes; a line longer than the most is an error, not a memory to fill. */
import { protocolError } from '../../../contract/parse.ts';
import { decodeUtf8 } from '../../../process/text.ts';

export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` ends. Throws `WISP_PROTOCOL`. */
  add(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, at));
      lines.push(decodeUtf8(Buffer.concat(this.#parts)));
      this.#parts = [];
      this.#size = 0;
      start = at + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(part: Uint8Array): void {
    this.#size += part.byteLength;
    if (this.#size > this.#maxBytes)
      throw protocolError('exec', `the interpreter sent a line of more than ${this.#maxBytes} bytes`);
    // The chunk's memory is its reader's again once this returns.
    if (part.byteLength > 0) this.#parts.push(part.slice());
  }
}
