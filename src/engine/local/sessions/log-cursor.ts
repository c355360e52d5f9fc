import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputChunk, OutputStream } from '../../engine.ts';
import { logPath } from './session-dir.ts';

/** A place in a log that moves on as it is read. */
export class LogCursor implements Disposable {
  readonly stream: OutputStream;
  readonly #fd: number;
  readonly #startFd: number;
  readonly #startText = new Uint8Array(32);
  #offset: number;
  #droppedBytes = 0;

  /** `from` below 0 counts from the end. */
  constructor(path: string, stream: OutputStream, from: number) {
    this.stream = stream;
    this.#fd = openSync(logPath(path, stream), 'r');
    this.#startFd = openSync(join(path, `${stream}.start`), 'r');
    this.#offset = from < 0 ? Math.max(0, this.size() + from) : from;
    // Asked for from the end: what is gone before it was not asked for.
    if (from < 0) this.#offset = Math.max(this.#offset, this.#start());
  }

  get offset(): number {
    return this.#offset;
  }

  size(): number {
    return fstatSync(this.#fd).size;
  }

  /** The next bytes up to `end`, in `buffer`; null when there are none. */
  read(buffer: Uint8Array, end: number): OutputChunk | null {
    for (;;) {
      const wanted = Math.min(buffer.length, end - this.#offset);
      const count = wanted > 0 ? readSync(this.#fd, buffer, 0, wanted, this.#offset) : 0;
      // Read first, then asked: what was there before it was given up is what was read.
      const start = this.#start();
      if (start > this.#offset) {
        this.#droppedBytes += start - this.#offset;
        this.#offset = start;
        continue;
      }
      if (count <= 0) return null;
      const chunk = {
        stream: this.stream,
        offset: this.#offset,
        bytes: buffer.subarray(0, count),
        droppedBytes: this.#droppedBytes,
      };
      this.#offset += count;
      this.#droppedBytes = 0;
      return chunk;
    }
  }

  /** The first offset that the log still has. */
  #start(): number {
    const text = this.#startText;
    const count = readSync(this.#startFd, text, 0, text.length, 0);
    return Number(String.fromCharCode(...text.subarray(0, count)));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    closeSync(this.#startFd);
  }
}
