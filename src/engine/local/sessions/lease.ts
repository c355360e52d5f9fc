import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../../process/identity.ts';
import type { OutputStream } from '../../engine.ts';

/** Digits of the largest offset. */
const OFFSET_WIDTH = 16;
/** How far a reader goes on before it says so, at most. */
const MAX_STEP_BYTES = 1024 * 1024;

export interface LeaseSpec {
  /** The session's directory. */
  readonly path: string;
  readonly stream: OutputStream;
  readonly logCapBytes: number;
  readonly reader: ProcessIdentity;
}

/**
 * Holds back the punching of a log's head: what a living reader has not got past is kept, and the command
 * waits when the log is full. It ends with the reader's process, however that ends.
 */
export class Lease implements Disposable {
  readonly #file: string;
  readonly #fd: number;
  readonly #prefix: string;
  readonly #stepBytes: number;
  #saidOffset = 0;

  constructor({ path, stream, logCapBytes, reader }: LeaseSpec) {
    const unique = `${reader.pid}-${Math.random().toString(36).slice(2, 10)}`;
    this.#file = join(path, 'readers', `${stream}.${unique}`);
    this.#prefix = `${reader.pid} ${reader.startTime} `;
    this.#stepBytes = Math.min(MAX_STEP_BYTES, Math.floor(logCapBytes / 16));
    this.#fd = openSync(this.#file, 'wx', 0o600);
    this.#say(0);
  }

  /** Bytes before `offset` are no longer wanted; said in steps. */
  advance(offset: number): void {
    if (Math.abs(offset - this.#saidOffset) >= this.#stepBytes) this.#say(offset);
  }

  /** The same to the byte, for a reader that is about to wait. */
  settle(offset: number): void {
    if (offset !== this.#saidOffset) this.#say(offset);
  }

  #say(offset: number): void {
    const line = `${this.#prefix}${String(offset).padEnd(OFFSET_WIDTH)}\n`;
    writeSync(this.#fd, line, 0);
    this.#saidOffset = offset;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    rmSync(this.#file, { force: true });
  }
}
