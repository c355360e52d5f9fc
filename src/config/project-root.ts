import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MARKS = ['.wreckit', '.wreckitrc'];

/**
 * The project `cwd` lies in: the nearest directory that has a configuration, looked for no further up than
 * the git repository's root, since what lies above belongs to others; else that root; else `cwd` itself.
 * `home` counts as a project only when it is `cwd`: its .wreckitrc is the user's own layer.
 */
export function projectRoot(cwd: string, home: string | null): string {
  const repository = repositoryRoot(cwd);
  if (repository === null) return cwd;
  for (let directory = cwd; ; directory = dirname(directory)) {
    const isHome = directory === home && directory !== cwd;
    if (!isHome && MARKS.some((mark) => existsSync(join(directory, mark)))) return directory;
    if (directory === repository) return repository;
  }
}

/** The nearest directory with a `.git` (a directory, or the file of a worktree or submodule). */
function repositoryRoot(cwd: string): string | null {
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (existsSync(join(directory, '.git'))) return directory;
    if (directory === dirname(directory)) return null;
  }
}
