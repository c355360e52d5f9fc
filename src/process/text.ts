/** Bytes to text. Output of other programs is bytes; what isn't UTF-8 becomes U+FFFD, never an error. */

/** The whole of `bytes` as text; a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** `bytes` without a character that its end has cut in two; all of them where nothing else is there. */
export function wholeUtf8(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.byteLength - 1); back += 1) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.byteLength - back) : bytes;
  }
  return bytes;
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
