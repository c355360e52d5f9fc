/**
 * Content that only this machine's working tree had when it was pushed (edits not committed, files git doesn't
 * track): kept, so that a three-way merge and a branch can be made later although the file was edited since.
 * One file per record, content after content; the record knows the offsets.
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeAll } from './durable.ts';
import { WHOLE_FILE_BYTES } from './read-content.ts';

/** All kept content of one sprite together; what goes beyond is not kept and merges side by side. */
const MAX_TOTAL_BYTES = 512 * 1024 * 1024;

export function baseFileOf(spriteDir: string, baseId: string): string {
  return path.join(spriteDir, `base-${baseId}.bin`);
}

/** Writes the next base file, carrying over what is still needed of the last one. */
export class BaseWriter implements Disposable {
  readonly #fd: number;
  readonly #previous: BaseReader | null;
  #endBytes = 0;

  constructor(file: string, previous: BaseReader | null) {
    this.#fd = fs.openSync(file, 'w', 0o600);
    this.#previous = previous;
  }

  /** The offset; null where it is too big to be kept. */
  add(content: Uint8Array): number | null {
    if (content.length > WHOLE_FILE_BYTES || this.#endBytes + content.length > MAX_TOTAL_BYTES) return null;
    const at = this.#endBytes;
    writeAll(this.#fd, content, at);
    this.#endBytes += content.length;
    return at;
  }

  carryOver(at: number, sizeBytes: number): number | null {
    const content = this.#previous?.read(at, sizeBytes) ?? null;
    return content === null ? null : this.add(content);
  }

  finish(): void {
    fs.fsyncSync(this.#fd);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }
}

export class BaseReader implements Disposable {
  readonly #fd: number | null;
  readonly #sizeBytes: number;

  constructor(file: string) {
    const isThere = fs.existsSync(file);
    this.#fd = isThere ? fs.openSync(file, 'r') : null;
    this.#sizeBytes = this.#fd === null ? 0 : fs.fstatSync(this.#fd).size;
  }

  /** Null where the file is gone or shorter. The caller compares the hash. */
  read(at: number, sizeBytes: number): Buffer | null {
    if (this.#fd === null || at + sizeBytes > this.#sizeBytes) return null;
    const content = Buffer.allocUnsafe(sizeBytes);
    for (let filled = 0; filled < sizeBytes; ) {
      const count = fs.readSync(this.#fd, content, filled, sizeBytes - filled, at + filled);
      if (count === 0) return null;
      filled += count;
    }
    return content;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== null) fs.closeSync(this.#fd);
  }
}

/** Removes the base files of earlier records. */
export function removeOldBases(spriteDir: string, baseId: string): void {
  const kept = path.basename(baseFileOf(spriteDir, baseId));
  for (const name of fs.readdirSync(spriteDir)) {
    if (/^base-.*\.bin$/.test(name) && name !== kept) fs.rmSync(path.join(spriteDir, name), { force: true });
  }
}
