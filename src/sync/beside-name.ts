/** Where the sprite's version of a file goes when the one here stays: `PATH.sprite`, `PATH.sprite.2` and so on. */
import { type BytePath, nameOf, parentsOf } from './byte-path.ts';
import { lstatOf } from './host-state.ts';

/** Next to whatever is in the way: for `a/b` with a file at `a` it is `a.sprite/b`. */
export function besideName(root: string, path: BytePath, count: number): BytePath {
  const suffix = count === 1 ? '.sprite' : `.sprite.${count}`;
  const withSuffix = (name: BytePath): BytePath => shortened(name) + suffix;
  for (const parent of parentsOf(path)) {
    const stat = lstatOf(root, parent);
    if (stat !== undefined && !stat.isDirectory()) return withSuffix(parent) + path.slice(parent.length);
  }
  return withSuffix(path);
}

export function freeNameBeside(root: string, path: BytePath, taken: ReadonlySet<BytePath>): BytePath {
  for (let count = 1; ; count += 1) {
    const name = besideName(root, path, count);
    if (!taken.has(name) && lstatOf(root, name) === undefined) return name;
  }
}

/** Leaves room for the suffix in a name that is as long as names can be. */
function shortened(path: BytePath): BytePath {
  const spareBytes = 230 - nameOf(path).length;
  return spareBytes >= 0 ? path : path.slice(0, spareBytes);
}
