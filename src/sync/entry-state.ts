/** What is at a path, as far as it is carried: content, executable bit, link target. Null: nothing. */
import type { BytePath } from './byte-path.ts';

export interface FileState {
  readonly kind: 'file';
  /** As git: the one permission bit that is carried for a file that is there on both sides. */
  readonly isExecutable: boolean;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface LinkState {
  readonly kind: 'symlink';
  readonly target: BytePath;
}

export type EntryState = FileState | LinkState;

export function isSameContent(a: EntryState | null, b: EntryState | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target;
  return b.kind === 'file' && a.sha256 === b.sha256;
}

export function isSameState(a: EntryState | null, b: EntryState | null): boolean {
  if (!isSameContent(a, b)) return false;
  return a?.kind !== 'file' || b?.kind !== 'file' || a.isExecutable === b.isExecutable;
}

/** git's mode of an entry. */
export function gitModeOf(state: EntryState): '100644' | '100755' | '120000' {
  if (state.kind === 'symlink') return '120000';
  return state.isExecutable ? '100755' : '100644';
}
