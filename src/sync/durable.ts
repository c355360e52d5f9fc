/** Files that are whole or not there, also after a crash of the machine. */
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { run } from '../process/run.ts';

/** Written to a temporary name, synced, renamed. `parts` are written one after the other. */
export function writeDurably(file: string, parts: Iterable<string | Uint8Array>, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`;
  try {
    const fd = fs.openSync(temporary, 'wx', mode);
    try {
      for (const part of parts) writeAll(fd, typeof part === 'string' ? Buffer.from(part) : part);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
    syncDirectory(path.dirname(file));
  } catch (thrown) {
    fs.rmSync(temporary, { force: true });
    throw thrown;
  }
}

export function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  for (let written = 0; written < bytes.length; ) {
    const at = position === null ? null : position + written;
    written += fs.writeSync(fd, bytes, written, bytes.length - written, at);
  }
}

/** So that a name made in it survives a crash of the machine. Not every system can. */
function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return;
  try {
    const fd = fs.openSync(dir, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno !== 'EINVAL' && errno !== 'EACCES' && errno !== 'ENOTSUP') throw thrown;
  }
}

function syncFile(file: string): void {
  const fd = fs.openSync(file, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Its text; null where there is no such file. */
export function readIfThere(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT' || errnoOf(thrown) === 'ENOTDIR') return null;
    throw thrown;
  }
}

/** More files than this are synced with their whole file system at once. */
const SYNC_EACH_MAX = 64;

/** Everything below `dir` is on disk when it resolves. */
export async function syncAll(dir: string): Promise<void> {
  const entries = fs.readdirSync(dir, { recursive: true, withFileTypes: true });
  if (entries.length > SYNC_EACH_MAX) {
    const done = await run(['sync', '-f', dir], { timeoutMs: 600_000 });
    if (!done.failed) return;
  }
  for (const entry of entries) {
    const at = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) syncFile(at);
    else if (entry.isDirectory()) syncDirectory(at);
  }
  syncDirectory(dir);
}
