/** What a path of the host holds, as entries for `writeTar`. Links are carried as links, never followed. */
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, WreckitError } from '../errors.ts';
import { printableName } from './tar-member.ts';
import type { TarInput } from './tar-writer.ts';

export interface TarDirectoryOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told about what no archive can hold: sockets, devices, FIFOs. */
  readonly onSkipped?: ((name: Buffer, reason: string) => void) | undefined;
}

const CHUNK_BYTES = 256 * 1024;
/** What was a file when it was looked at may be a link or a FIFO by now. Windows has neither flag. */
const OPEN_FLAGS = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0);

/** The contents of `dir`, names relative to it, its own root first as `./`. Throws `PATH_INVALID`. */
export async function* tarDirectory(
  dir: string,
  options: TarDirectoryOptions = {},
): AsyncGenerator<TarInput> {
  const root = Buffer.from(path.resolve(dir));
  const hardlinks = new Map<string, Buffer>();
  const pending: Buffer[] = [Buffer.alloc(0)];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    options.signal?.throwIfAborted();
    const at = name.length === 0 ? root : Buffer.concat([root, Buffer.from('/'), name]);
    const stat = readable(at, () => fs.lstatSync(at));
    if (stat.isDirectory()) {
      for (const child of readable(at, () => fs.readdirSync(at, { encoding: 'buffer' })).sort(reverse)) {
        pending.push(name.length === 0 ? child : Buffer.concat([name, Buffer.from('/'), child]));
      }
    }
    const entry = entryOf(at, name, stat, hardlinks);
    if (entry === null) options.onSkipped?.(name, 'is not a file, directory or symbolic link');
    else yield entry;
  }
}

/** One file, under its own name; a symbolic link is followed. Throws `PATH_INVALID`. */
export async function* tarFile(file: string): AsyncGenerator<TarInput> {
  const given = Buffer.from(path.resolve(file));
  const at = readable(given, () => fs.realpathSync(given, { encoding: 'buffer' }));
  const stat = readable(at, () => fs.statSync(at));
  const entry = stat.isFile() ? entryOf(at, Buffer.from(path.basename(file)), stat, new Map()) : null;
  if (entry === null) {
    throw new WreckitError('PATH_INVALID', `archive: ${printableName(at)} is no file`);
  }
  yield entry;
}

function entryOf(at: Buffer, name: Buffer, stat: fs.Stats, hardlinks: Map<string, Buffer>): TarInput | null {
  const common = { mode: stat.mode & 0o7777, mtimeSeconds: stat.mtimeMs / 1000, sizeBytes: 0 };
  if (stat.isDirectory()) {
    return {
      ...common,
      type: 'directory',
      name: Buffer.concat([name.length ? name : Buffer.from('.'), SLASH]),
    };
  }
  if (stat.isSymbolicLink()) {
    const linkName = readable(at, () => fs.readlinkSync(at, { encoding: 'buffer' }));
    return { ...common, type: 'symlink', name, linkName };
  }
  if (!stat.isFile()) return null;
  const inode = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1 ? hardlinks.get(inode) : undefined;
  if (first !== undefined) return { ...common, type: 'hardlink', name, linkName: first };
  if (stat.nlink > 1) hardlinks.set(inode, name);
  return { ...common, type: 'file', name, sizeBytes: stat.size, content: contentOf(at) };
}

const SLASH = Buffer.from('/');

function* contentOf(at: Buffer): Generator<Uint8Array> {
  const fd = readable(at, () => fs.openSync(at, OPEN_FLAGS));
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const lengthBytes = readable(at, () => fs.readSync(fd, buffer, 0, buffer.length, null));
      if (lengthBytes === 0) return;
      yield Buffer.from(buffer.subarray(0, lengthBytes));
    }
  } finally {
    fs.closeSync(fd);
  }
}

function readable<T>(at: Buffer, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === undefined) throw thrown;
    throw new WreckitError('PATH_INVALID', `archive: ${printableName(at)} can't be read: ${errno}`, {
      hint: 'give a path of this machine that you may read',
      details: { errno },
      cause: thrown,
    });
  }
}

function reverse(a: Buffer, b: Buffer): number {
  return Buffer.compare(b, a);
}
