/** Cuts a byte stream into lines and parses each; a line cut between two chunks, or in a character, is one line. */
import { decodeUtf8 } from '../../process/text.ts';

export type JsonLine =
  | { readonly kind: 'value'; readonly value: Readonly<Record<string, unknown>> }
  /** No JSON object: a warning, half a line at the end, garbage. */
  | { readonly kind: 'text'; readonly text: string }
  /** Longer than the cap; its bytes were dropped. */
  | { readonly kind: 'too_long'; readonly bytes: number };

/** A tool's result is in one line; nothing sensible is longer than this. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

export class JsonLines {
  readonly #maxLineBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxLineBytes = MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  push(chunk: Uint8Array): JsonLine[] {
    const lines: JsonLine[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, at));
      from = at + 1;
      lines.push(...this.#take());
    }
    this.#hold(chunk.subarray(from));
    return lines;
  }

  /** The last line, if it had no newline. */
  end(): JsonLine[] {
    return this.#take();
  }

  #hold(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxLineBytes) this.#parts = [];
    // A copy: the chunk's buffer is the stream's.
    else if (part.length > 0) this.#parts.push(Uint8Array.from(part));
  }

  #take(): JsonLine[] {
    const bytes = this.#bytes;
    const text = decodeUtf8(Buffer.concat(this.#parts)).trim();
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > this.#maxLineBytes) return [{ kind: 'too_long', bytes }];
    return text === '' ? [] : [parseLine(text)];
  }
}

export function parseLine(text: string): JsonLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { kind: 'value', value: value as Record<string, unknown> };
  } catch {
    // Not JSON is one of the answers.
  }
  return { kind: 'text', text };
}
