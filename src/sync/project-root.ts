/** Which directory "the project" is, seen from a directory in it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findRepository, topOf } from './git-repository.ts';

/**
 * The nearest directory upwards with a `.wreckit` in it, else the top of the git work tree, else `cwd` itself.
 * A work tree ends the search: what lies above it is another project. Throws `SPRITE_SYNC_FAILED` where git
 * refuses the repository.
 */
export async function findProjectRoot(cwd: string, signal?: AbortSignal): Promise<string> {
  const found = await findRepository(cwd, signal);
  const top = found.kind === 'repository' ? topOf(found.repository) : null;
  for (let dir = path.resolve(cwd); ; dir = path.dirname(dir)) {
    const hasOwn = fs.statSync(path.join(dir, '.wreckit'), { throwIfNoEntry: false })?.isDirectory() === true;
    if (hasOwn && dir !== os.homedir()) return dir;
    if (dir === top || dir === path.dirname(dir)) return top ?? path.resolve(cwd);
  }
}
