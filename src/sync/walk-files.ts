/** Files below a directory, without git: names as bytes, links never followed. */
import fs from 'node:fs';
import { errnoOf } from '../errors.ts';
import { type BytePath, hostPath, toBytePath } from './byte-path.ts';

export interface WalkOptions {
  /** Below the root; empty for all of it. */
  readonly start?: BytePath | undefined;
  /** True: the directory is not entered. */
  readonly skipDirectory: (path: BytePath) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Everything that is no directory, and nothing of a directory that vanished or can't be read. */
export function* walkFiles(root: string, options: WalkOptions): Generator<BytePath> {
  const pending: BytePath[] = [options.start ?? ''];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    options.signal?.throwIfAborted();
    for (const name of namesIn(root, dir)) {
      const path = dir === '' ? name : `${dir}/${name}`;
      const stat = fs.lstatSync(hostPath(root, path), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) yield path;
      else if (!options.skipDirectory(path)) pending.push(path);
    }
  }
}

/** Not withFileTypes: with names as buffers Bun's entries have none. */
function namesIn(root: string, dir: BytePath): BytePath[] {
  try {
    const names = fs.readdirSync(dir === '' ? root : hostPath(root, dir), { encoding: 'buffer' });
    return names.map((name) => toBytePath(name));
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return [];
    throw thrown;
  }
}
