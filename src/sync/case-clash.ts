/** Names that are two here and one on a file system that ignores case or normalises Unicode. */
import { type BytePath, parentsOf } from './byte-path.ts';
import { caseKey } from './path-safety.ts';

/** For each added path the other spelling of it, or of a directory above it, that is there, too. */
export function findCaseClashes(
  present: Iterable<BytePath>,
  added: readonly BytePath[],
): (readonly [added: BytePath, other: BytePath])[] {
  if (added.length === 0) return [];
  const spellings = new Map<string, BytePath>();
  for (const path of present) {
    for (const part of [...parentsOf(path), path]) spellings.set(caseKey(part), part);
  }
  const clashes: [BytePath, BytePath][] = [];
  for (const path of [...added].sort()) {
    for (const part of [...parentsOf(path), path]) {
      const key = caseKey(part);
      const other = spellings.get(key);
      if (other === undefined) spellings.set(key, part);
      else if (other !== part) {
        clashes.push([path, other]);
        break;
      }
    }
  }
  return clashes;
}
