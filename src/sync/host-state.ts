/** What the project has at a path now; links are looked at, never followed. */
import fs from 'node:fs';
import { errnoOf } from '../errors.ts';
import { type BytePath, hostPath, parentsOf, toBytePath } from './byte-path.ts';
import type { EntryState } from './entry-state.ts';
import { isExecutableMode } from './host-changes.ts';
import { type StatKey, statKeyOf } from './push-plan.ts';
import { hashFile } from './read-content.ts';

export interface HostFile {
  readonly kind: 'file';
  readonly isExecutable: boolean;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly stat: StatKey;
}

/** `other`: a directory, device, FIFO or socket. `blocked`: a file or link where a directory above should be. */
export type HostState =
  | HostFile
  | Extract<EntryState, { kind: 'symlink' }>
  | { readonly kind: 'directory' }
  | { readonly kind: 'other' }
  | { readonly kind: 'blocked'; readonly by: BytePath }
  | null;

export function hostStateOf(root: string, path: BytePath): HostState {
  for (const parent of parentsOf(path)) {
    const stat = lstatOf(root, parent);
    if (stat === undefined) return null;
    if (!stat.isDirectory()) return { kind: 'blocked', by: parent };
  }
  const stat = lstatOf(root, path);
  if (stat === undefined) return null;
  if (stat.isDirectory()) return { kind: 'directory' };
  if (stat.isSymbolicLink()) return { kind: 'symlink', target: readLink(root, path) };
  if (!stat.isFile()) return { kind: 'other' };
  const read = hashFile(root, path, null);
  if (read === null) return { kind: 'other' };
  const { sizeBytes, mode } = read.stat;
  return {
    kind: 'file',
    isExecutable: isExecutableMode(mode),
    sizeBytes,
    sha256: read.sha256,
    stat: read.stat,
  };
}

/** The entry, where it is one that sync carries. */
export function entryOf(state: HostState): EntryState | null {
  return state?.kind === 'file' || state?.kind === 'symlink' ? state : null;
}

export function statKeyAt(root: string, path: BytePath): StatKey | null {
  const stat = lstatOf(root, path);
  return stat?.isFile() === true ? statKeyOf(stat) : null;
}

/** Target of the link at `path`; null where there is none. */
export function hostLinkAt(root: string, path: BytePath): BytePath | null {
  return lstatOf(root, path)?.isSymbolicLink() === true ? readLink(root, path) : null;
}

export function lstatOf(root: string, path: BytePath): fs.Stats | undefined {
  try {
    return fs.lstatSync(hostPath(root, path), { throwIfNoEntry: false });
  } catch (thrown) {
    // Windows and macOS throw for some names and for a file where a directory was expected.
    const errno = errnoOf(thrown);
    if (errno === 'ENOTDIR' || errno === 'ENOENT' || errno === 'ENAMETOOLONG' || errno === 'ELOOP')
      return undefined;
    throw thrown;
  }
}

function readLink(root: string, path: BytePath): BytePath {
  return toBytePath(fs.readlinkSync(hostPath(root, path), { encoding: 'buffer' }));
}
