/** Reading files of the project: never through a link, hashed on the way, big ones in pieces. */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { errnoOf, errorOf } from '../errors.ts';
import { type BytePath, hostPath, showPath } from './byte-path.ts';
import { type StatKey, statKeyOf } from './push-plan.ts';

/** Up to this size a file is read in one piece, and its content can be kept for merges. */
export const WHOLE_FILE_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 512 * 1024;
/** What was a file when it was listed may be a link or a FIFO by now. Windows has neither flag. */
const OPEN_FLAGS = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);

export type GitHash = 'sha1' | 'sha256';

export interface ContentHashes {
  /** Hex. */
  readonly sha256: string;
  /** As a git blob; null outside git. */
  readonly gitOid: string | null;
}

export class ContentHasher {
  readonly #content: Hash;
  readonly #blob: Hash | null;

  constructor(sizeBytes: number, gitHash: GitHash | null) {
    this.#content = createHash('sha256');
    this.#blob = gitHash === null ? null : createHash(gitHash).update(`blob ${sizeBytes}\0`);
  }

  update(bytes: Uint8Array): void {
    this.#content.update(bytes);
    this.#blob?.update(bytes);
  }

  digest(): ContentHashes {
    return { sha256: this.#content.digest('hex'), gitOid: this.#blob?.digest('hex') ?? null };
  }
}

/** An open file of the project; dispose it. */
export interface OpenedFile extends Disposable {
  readonly stat: StatKey;
  /** Exactly `stat.sizeBytes`, what is appended meanwhile left out. Throws where the file got shorter. */
  whole(): Buffer;
  chunks(): Generator<Uint8Array>;
}

/** Null: gone, or no regular file any more. Throws `SPRITE_SYNC_FAILED` when it can't be read. */
export function openFile(root: string, name: BytePath): OpenedFile | null {
  const fd = openIfFile(root, name);
  if (fd === null) return null;
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) {
    fs.closeSync(fd);
    return null;
  }
  const key = statKeyOf(stat);
  return {
    stat: key,
    whole: () => {
      const content = Buffer.allocUnsafe(key.sizeBytes);
      if (readFully(fd, content) < key.sizeBytes) throw gotShorter(name);
      return content;
    },
    chunks: () => chunksOf(fd, name, key.sizeBytes),
    [Symbol.dispose]: () => fs.closeSync(fd),
  };
}

/** Hashes of a file's content and the stat they belong to; null where there is no such file. */
export function hashFile(
  root: string,
  name: BytePath,
  gitHash: GitHash | null,
): (ContentHashes & { stat: StatKey }) | null {
  using file = openFile(root, name);
  if (file === null) return null;
  const hasher = new ContentHasher(file.stat.sizeBytes, gitHash);
  for (const chunk of file.chunks()) hasher.update(chunk);
  return { ...hasher.digest(), stat: file.stat };
}

export function hashContent(content: Uint8Array, gitHash: GitHash | null): ContentHashes {
  const hasher = new ContentHasher(content.length, gitHash);
  hasher.update(content);
  return hasher.digest();
}

/** Each chunk is a buffer of its own: whoever sends it may hold it. */
function* chunksOf(fd: number, name: BytePath, sizeBytes: number): Generator<Uint8Array> {
  for (let left = sizeBytes; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
    const count = fs.readSync(fd, buffer, 0, buffer.length, null);
    if (count === 0) throw gotShorter(name);
    left -= count;
    yield buffer.subarray(0, count);
  }
}

function readFully(fd: number, into: Buffer): number {
  let filled = 0;
  while (filled < into.length) {
    const count = fs.readSync(fd, into, filled, into.length - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function openIfFile(root: string, name: BytePath): number | null {
  try {
    return fs.openSync(hostPath(root, name), OPEN_FLAGS);
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP' || errno === 'ENXIO') return null;
    if (errno === undefined) throw thrown;
    throw errorOf('SPRITE_SYNC_FAILED', `read "${showPath(name)}": it can't be read: ${errno}`, {
      hint: 'make it readable, or leave it out with syncExcludePatterns',
      details: { errno },
      cause: thrown,
    });
  }
}

function gotShorter(name: BytePath): Error {
  return errorOf('SPRITE_SYNC_FAILED', `read "${showPath(name)}": it got shorter while it was read`, {
    hint: 'try again when nothing writes to it',
    retryable: true,
  });
}
