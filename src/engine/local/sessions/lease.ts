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
  readonly streams: readonly OutputStream[];
  readonly logCapBytes: number;
  readonly reader: ProcessIdentity;
}

/**
 * Holds back the punching of the logs' heads: what a living reader has not got past is kept, and the command
 * waits when a log is full. It ends with the reader's process, however that ends.
 */
export class Lease implements Disposable {
  readonly #file: string;
  readonly #fd: number;
  readonly #reader: ProcessIdentity;
  readonly #stepBytes: number;
  /** What has been said; a log that nobody waits for may go. */
  readonly #offsets = { stdout: Number.MAX_SAFE_INTEGER, stderr: Number.MAX_SAFE_INTEGER };

  constructor({ path, streams, logCapBytes, reader }: LeaseSpec) {
    this.#file = join(path, `reader.${reader.pid}-${Math.random().toString(36).slice(2, 10)}`);
    this.#reader = reader;
    this.#stepBytes = Math.min(MAX_STEP_BYTES, Math.floor(logCapBytes / 16));
    for (const stream of streams) this.#offsets[stream] = 0;
    this.#fd = openSync(this.#file, 'wx', 0o600);
    this.#write();
  }

  /** Bytes before `offset` are no longer wanted; said in steps. */
  advance(stream: OutputStream, offset: number): void {
    if (Math.abs(offset - this.#offsets[stream]) >= this.#stepBytes) this.settle(stream, offset);
  }

  /** The same to the byte, for a reader that is about to wait. */
  settle(stream: OutputStream, offset: number): void {
    if (offset === this.#offsets[stream]) return;
    this.#offsets[stream] = offset;
    this.#write();
  }

  #write(): void {
    const { pid, startTime } = this.#reader;
    const [stdout, stderr] = [this.#offsets.stdout, this.#offsets.stderr].map((offset) =>
      String(offset).padEnd(OFFSET_WIDTH),
    );
    writeSync(this.#fd, `${pid} ${startTime} ${stdout} ${stderr}\n`, 0);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    rmSync(this.#file, { force: true });
  }
}
