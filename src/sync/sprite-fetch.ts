/**
 * Content out of a sprite: one tar stream of exactly the files asked for. What comes is checked member by
 * member; content goes into numbered files, so no name of the sprite becomes a path here.
 */
import fs from 'node:fs';
import path from 'node:path';
import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import { formatBytes } from '../contract/units.ts';
import { errnoOf, errorOf, WreckitError } from '../errors.ts';
import { decodeUtf8 } from '../process/text.ts';
import { type BytePath, showPath, toBytePath } from './byte-path.ts';
import { AsyncByteQueue } from './byte-queue.ts';
import { writeAll } from './durable.ts';
import { ContentHasher, type GitHash } from './read-content.ts';
import type { SpritePort } from './sprite-port.ts';
import { nameList } from './sprite-scan.ts';
import type { OnSyncProgress } from './sync-progress.ts';

export interface FetchOptions {
  /** Directory for the content; file names are `prefix` and a number. */
  readonly dir: string;
  readonly prefix: string;
  readonly gitHash: GitHash | null;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly onProgress?: OnSyncProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchedFile {
  readonly blob: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly gitOid: string | null;
}

export interface Fetched {
  readonly files: ReadonlyMap<BytePath, FetchedFile>;
  /** False: tar complained (a file vanished, grew, could not be read), in the words of `reason`. */
  readonly isWhole: boolean;
  readonly reason: string;
}

const TAR = [
  'tar',
  '-c',
  '-f',
  '-',
  '--format=gnu',
  '--no-recursion',
  '--hard-dereference',
  '--null',
  '--verbatim-files-from',
  '-T',
  '-',
];

/** Throws `SPRITE_SYNC_FAILED` for a stream that is no archive, has other members, or is beyond a limit. */
export async function fetchFiles(
  port: SpritePort,
  paths: readonly BytePath[],
  options: FetchOptions,
): Promise<Fetched> {
  if (paths.length === 0) return { files: new Map(), isWhole: true, reason: '' };
  const queue = new AsyncByteQueue();
  const receiver = new Receiver(new Set(paths), options);
  const receiving = receiver.receive(queue).catch((thrown: unknown) => {
    // Ends the command, too: its output sink rejects from now on.
    queue.fail(thrown);
    throw thrown;
  });
  receiving.catch(() => undefined);
  const running = port
    .exec(['env', 'LC_ALL=C', ...TAR], {
      stdin: nameList(paths),
      onStdout: (chunk) => queue.push(chunk),
      signal: options.signal,
    })
    .finally(() => queue.end());
  const [command, archive] = await Promise.allSettled([running, receiving]);
  options.signal?.throwIfAborted();
  if (archive.status === 'rejected' && receiver.isRefused) throw archive.reason;
  if (command.status === 'rejected') throw command.reason;
  const reason = decodeUtf8(command.value.stderr).trim().split('\n').at(-1) ?? '';
  if (archive.status === 'rejected') {
    throw errorOf(
      'SPRITE_SYNC_FAILED',
      `fetch files from sprite "${port.name}": ${reason || String(archive.reason)}`,
      {
        cause: archive.reason,
      },
    );
  }
  return { files: receiver.files, isWhole: command.value.exitCode === 0, reason };
}

class Receiver {
  readonly files = new Map<BytePath, FetchedFile>();
  /** It was this side that ended the transfer. */
  isRefused = false;
  readonly #wanted: ReadonlySet<BytePath>;
  readonly #options: FetchOptions;
  #totalBytes = 0;

  constructor(wanted: ReadonlySet<BytePath>, options: FetchOptions) {
    this.#wanted = wanted;
    this.#options = options;
  }

  async receive(stream: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const member of readTar(stream)) {
      const name = toBytePath(member.name).replace(/^\.\//, '');
      this.#verify(name, member);
      this.files.set(name, await this.#store(member, `${this.#options.prefix}${this.files.size}`));
      this.#report();
    }
  }

  #verify(name: BytePath, member: TarEntry): void {
    const { maxFileBytes, maxTotalBytes } = this.#options;
    if (!this.#wanted.has(name) || this.files.has(name)) throw this.#refuse(name, 'was not asked for');
    if (member.type !== 'file') throw this.#refuse(name, 'is no longer a regular file');
    if (member.sizeBytes > maxFileBytes) {
      throw this.#refuse(
        name,
        `has ${formatBytes(member.sizeBytes)}, at most ${formatBytes(maxFileBytes)} are taken`,
      );
    }
    this.#totalBytes += member.sizeBytes;
    if (this.#totalBytes > maxTotalBytes) {
      throw this.#refuse(name, `makes it more than ${formatBytes(maxTotalBytes)} in all`);
    }
  }

  #refuse(name: BytePath, reason: string): WreckitError {
    this.isRefused = true;
    return errorOf('SPRITE_SYNC_FAILED', `fetch "${showPath(name)}" from the sprite: it ${reason}`, {
      hint: 'the sprite is kept as it is, and nothing was changed here',
    });
  }

  async #store(member: TarEntry, blob: string): Promise<FetchedFile> {
    const hasher = new ContentHasher(member.sizeBytes, this.#options.gitHash);
    const file = path.join(this.#options.dir, blob);
    try {
      const fd = fs.openSync(file, 'wx', 0o600);
      try {
        const writer = new SparseWriter(fd);
        for await (const chunk of member.content) {
          this.#options.signal?.throwIfAborted();
          hasher.update(chunk);
          writer.write(chunk);
        }
        writer.finish(member.sizeBytes);
      } finally {
        fs.closeSync(fd);
      }
    } catch (thrown) {
      // A disk that refuses is our reason; a stream that ends early may have a better one in tar's words.
      this.isRefused ||= !(thrown instanceof WreckitError);
      throw asStagingError(thrown);
    }
    return { blob, sizeBytes: member.sizeBytes, ...hasher.digest() };
  }

  #report(): void {
    this.#options.onProgress?.({
      phase: 'fetch',
      filesDone: this.files.size,
      filesTotal: this.#wanted.size,
      bytesDone: this.#totalBytes,
      bytesTotal: null,
    });
  }
}

/** Leaves holes where whole chunks are zeros: a sparse file stays one. */
class SparseWriter {
  readonly #fd: number;
  #at = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(chunk: Uint8Array): void {
    if (chunk.length < 4096 || !isZero(chunk)) writeAll(this.#fd, chunk, this.#at);
    this.#at += chunk.length;
  }

  finish(sizeBytes: number): void {
    fs.ftruncateSync(this.#fd, sizeBytes);
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

function isZero(chunk: Uint8Array): boolean {
  if (chunk[0] !== 0) return false;
  for (let at = 0; at < chunk.length; at += ZEROS.length) {
    const part = chunk.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}

export function asStagingError(thrown: unknown): unknown {
  const errno = errnoOf(thrown);
  if (errno === undefined || thrown instanceof WreckitError) return thrown;
  const isFull = errno === 'ENOSPC' || errno === 'EDQUOT';
  const what = isFull ? 'there is no space left on this disk' : `it can't be written: ${errno}`;
  return errorOf('SPRITE_SYNC_FAILED', `keep what the sprite changed: ${what}`, {
    hint: 'nothing of the project was changed and the sprite is kept: make room, then pull again',
    details: { errno },
    cause: thrown,
  });
}
