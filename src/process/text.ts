/** Bytes to text. Output of other programs is bytes; what isn't UTF-8 becomes U+FFFD, never an error. */

/** The whole of `bytes` as text; a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** Decodes chunk by chunk: a character cut between two chunks comes out whole with the second. */
export class Utf8Stream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** The text that is complete after `chunk`; at most three bytes are held back. */
  push(chunk: Uint8Array): string {
    return this.#decoder.decode(chunk, { stream: true });
  }

  /** What was held back, as U+FFFD where it never became a character. */
  end(): string {
    return this.#decoder.decode();
  }
}
