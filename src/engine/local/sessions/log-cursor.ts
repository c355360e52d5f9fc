import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';
import type { OutputChunk, OutputStream } from '../../engine.ts';
import {
  type LogPlace,
  logExtent,
  logPath,
  parsePlace,
  placePath,
  segmentPath,
  segmentStarts,
} from './log-files.ts';

/** One of the files of a log, open. */
interface OpenPart {
  readonly fd: number;
  /** The offset of its first byte. */
  readonly base: number;
}

/** A place in a log that moves on as it is read. The log need not be there yet. */
export class LogCursor implements Disposable {
  readonly stream: OutputStream;
  readonly #dir: string;
  readonly #place: PlaceFile;
  #part: OpenPart | null = null;
  #offset: number;
  #droppedBytes = 0;

  /** `from` below 0 counts from the end. */
  constructor(dir: string, stream: OutputStream, from: number) {
    this.stream = stream;
    this.#dir = dir;
    this.#place = new PlaceFile(placePath(dir, stream));
    this.#offset = from;
    if (from >= 0) return;
    // Asked for from the end: what is gone before it was not asked for.
    const { start, end } = logExtent(dir, stream);
    this.#offset = Math.max(start, end + from);
  }

  get offset(): number {
    return this.#offset;
  }

  /** The offset after the last byte. */
  end(): number {
    return logExtent(this.#dir, this.stream).end;
  }

  /** The next bytes up to `end`, in `buffer`; null when there are none. */
  read(buffer: Uint8Array, end: number): OutputChunk | null {
    for (;;) {
      const wanted = Math.min(buffer.length, end - this.#offset);
      const part = wanted > 0 ? this.#openPart() : null;
      const count = part === null ? 0 : readSync(part.fd, buffer, 0, wanted, this.#offset - part.base);
      // Read first, then asked: what was there before it was given up is what was read.
      const { start, base } = this.#place.read();
      if (start > this.#offset) this.#skipTo(start);
      else if (count > 0) return this.#take(buffer.subarray(0, count));
      else if (part === null) return null;
      // It is a segment by now: what was added before, or else the next file.
      else if (base > part.base) this.#close();
      else return null;
    }
  }

  /** What was given up at the end of the log, so that no chunk tells of it; null: nothing. */
  droppedAtEnd(): OutputChunk | null {
    return this.#droppedBytes === 0 ? null : this.#take(new Uint8Array(0));
  }

  #take(bytes: Uint8Array): OutputChunk {
    const chunk = { stream: this.stream, offset: this.#offset, bytes, droppedBytes: this.#droppedBytes };
    this.#offset += bytes.length;
    this.#droppedBytes = 0;
    return chunk;
  }

  #skipTo(start: number): void {
    this.#droppedBytes += start - this.#offset;
    this.#offset = start;
    this.#close();
  }

  /** The file that holds the present offset, or will; null: there is none yet. */
  #openPart(): OpenPart | null {
    while (this.#part === null) {
      const { base } = this.#place.read();
      if (this.#offset < base) {
        this.#part = this.#openSegment();
        // It was given up just now, or a power cut took it.
        if (this.#part === null) this.#skipTo(this.#nextStart() ?? base);
        continue;
      }
      const fd = openIfThere(logPath(this.#dir, this.stream));
      if (this.#place.read().base !== base) {
        // It may be a later one.
        if (fd !== null) closeSync(fd);
        continue;
      }
      // It may have become a segment that is not yet said to be one.
      this.#part = fd === null ? this.#openSegment() : { fd, base };
      if (this.#part === null) return null;
    }
    return this.#part;
  }

  #openSegment(): OpenPart | null {
    const base = this.#starts().findLast((start) => start <= this.#offset);
    const fd = base === undefined ? null : openIfThere(segmentPath(this.#dir, this.stream, base));
    if (base === undefined || fd === null) return null;
    if (this.#offset < base + fstatSync(fd).size) return { fd, base };
    closeSync(fd);
    return null;
  }

  #nextStart(): number | undefined {
    return this.#starts().find((start) => start > this.#offset);
  }

  #starts(): number[] {
    return segmentStarts(this.#dir, this.stream);
  }

  #close(): void {
    if (this.#part !== null) closeSync(this.#part.fd);
    this.#part = null;
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#place[Symbol.dispose]();
  }
}

/** A log's place, kept open: it is asked for at every read. It may be made later. */
class PlaceFile implements Disposable {
  readonly #path: string;
  readonly #bytes = new Uint8Array(32);
  #fd: number | null = null;
  #text = '';
  #place = parsePlace('');

  constructor(path: string) {
    this.#path = path;
  }

  read(): LogPlace {
    // An exception each time would cost more than the read.
    if (this.#fd === null && statSync(this.#path, { throwIfNoEntry: false }) === undefined)
      return this.#place;
    this.#fd ??= openIfThere(this.#path);
    if (this.#fd === null) return this.#place;
    for (let text = this.#readText(this.#fd); text !== this.#text; text = this.#readText(this.#fd)) {
      // Twice the same: it was not read while it was being written.
      this.#text = text;
      this.#place = parsePlace(text);
    }
    return this.#place;
  }

  #readText(fd: number): string {
    const count = readSync(fd, this.#bytes, 0, this.#bytes.length, 0);
    return String.fromCharCode(...this.#bytes.subarray(0, count));
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) closeSync(this.#fd);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
