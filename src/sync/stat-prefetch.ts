/**
 * Looks at files while git is still listing them: the ten thousand calls of an unchanged project then cost no
 * time of their own. In turns, so that what git says is heard in between.
 */
import fs from 'node:fs';
import { type BytePath, hostPath } from './byte-path.ts';

export type PrefetchedStats = ReadonlyMap<BytePath, fs.Stats>;

const AT_ONCE = 500;

/** Files that are there now and can be looked at without following a link in their place. */
export async function prefetchStats(root: string, paths: Iterable<BytePath>): Promise<PrefetchedStats> {
  const stats = new Map<BytePath, fs.Stats>();
  let count = 0;
  for (const path of paths) {
    const stat = lookAt(root, path);
    if (stat !== undefined) stats.set(path, stat);
    count += 1;
    if (count % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return stats;
}

/** What fails here fails again, and is told, when its turn comes. */
function lookAt(root: string, path: BytePath): fs.Stats | undefined {
  try {
    return fs.lstatSync(hostPath(root, path), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
