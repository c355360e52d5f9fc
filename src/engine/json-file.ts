/** State files: written to a temporary name, synced, renamed; read with a size cap. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { WreckitError } from '../errors.ts';

const MAX_STATE_BYTES = 4 * 1024 * 1024;

/** Replaces `path` in one step, mode 0600. A crash leaves the old content or the new. */
export function writeJsonFile(path: string, value: unknown): void {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 10)}`;
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(fd, `${JSON.stringify(value, null, 1)}\n`);
    fsyncSync(fd);
  } catch (error) {
    closeSync(fd);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(fd);
  renameSync(temporary, path);
}

/** The parsed content. Throws the system error when unreadable, `INTERNAL` when it is not JSON. */
export function readJsonFile(path: string): unknown {
  if (statSync(path).size > MAX_STATE_BYTES)
    throw new WreckitError('INTERNAL', `state file: ${path} is too large`);
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WreckitError('INTERNAL', `state file: ${path} is not JSON`, { cause });
  }
}
