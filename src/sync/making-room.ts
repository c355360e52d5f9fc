/** Whether a path will be free once other paths are gone. */
import type { BytePath } from './byte-path.ts';
import type { HostState } from './host-state.ts';
import { walkFiles } from './walk-files.ts';

/** A file above it that goes, or a directory in its place of which nothing is left. */
export function isFreed(
  root: string,
  path: BytePath,
  found: HostState,
  gone: ReadonlySet<BytePath>,
): boolean {
  if (found?.kind === 'blocked') return gone.has(found.by);
  if (found?.kind !== 'directory') return false;
  for (const file of walkFiles(root, { start: path, skipDirectory: () => false })) {
    if (!gone.has(file)) return false;
  }
  return true;
}
