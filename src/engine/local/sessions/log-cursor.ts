import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';
import type { OutputChunk, OutputStream } from '../../engine.ts';
import { logPath, startPath } from './session-dir.ts';

/** A place in a log that moves on as it is read. The log need not be there yet. */
export class LogCursor implements Disposable {
  readonly stream: OutputStream;
  readonly #log: LateFile;
  readonly #start: LateFile;
  readonly #startText = new Uint8Array(32);
  #offset: number;
  #droppedBytes = 0;

  /** `from` below 0 counts from the end. */
  constructor(path: string, stream: OutputStream, from: number) {
    this.stream = stream;
    this.#log = new LateFile(logPath(path, stream));
    this.#start = new LateFile(startPath(path, stream));
    // Asked for from the end: what is gone before it was not asked for.
    this.#offset = from < 0 ? Math.max(0, this.size() + from, this.#readStart()) : from;
  }

  get offset(): number {
    return this.#offset;
  }

  size(): number {
    return this.#log.size();
  }

  /** The next bytes up to `end`, in `buffer`; null when there are none. */
  read(buffer: Uint8Array, end: number): OutputChunk | null {
    for (;;) {
      const wanted = Math.min(buffer.length, end - this.#offset);
      const count = wanted > 0 ? this.#log.read(buffer, wanted, this.#offset) : 0;
      // Read first, then asked: what was there before it was given up is what was read.
      const start = this.#readStart();
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

  /** What was given up at the end of the log, so that no chunk tells of it; null: nothing. */
  droppedAtEnd(): OutputChunk | null {
    if (this.#droppedBytes === 0) return null;
    const droppedBytes = this.#droppedBytes;
    this.#droppedBytes = 0;
    return { stream: this.stream, offset: this.#offset, bytes: new Uint8Array(0), droppedBytes };
  }

  /** The first offset that the log still has. */
  #readStart(): number {
    const text = this.#startText;
    const count = this.#start.read(text, text.length, 0);
    return Number(String.fromCharCode(...text.subarray(0, count)));
  }

  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
    this.#start[Symbol.dispose]();
  }
}

/** A file that may be made later; until then it is empty. */
class LateFile implements Disposable {
  readonly #path: string;
  #fd: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  size(): number {
    const fd = this.#open();
    return fd === null ? 0 : fstatSync(fd).size;
  }

  read(buffer: Uint8Array, count: number, offset: number): number {
    const fd = this.#open();
    return fd === null ? 0 : readSync(fd, buffer, 0, count, offset);
  }

  #open(): number | null {
    if (this.#fd !== null) return this.#fd;
    // Asked for at every read: an exception each time would cost more than the read.
    if (statSync(this.#path, { throwIfNoEntry: false }) === undefined) return null;
    try {
      this.#fd = openSync(this.#path, 'r');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    return this.#fd;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }
}
