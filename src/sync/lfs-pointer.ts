/** What git-lfs commits instead of a file's content. Format: git-lfs docs/spec.md, "The Pointer". */
import type { EntryState } from './entry-state.ts';

export function lfsPointerOf(state: EntryState): string {
  if (state.kind === 'symlink') return state.target;
  const lines = [
    'version https://git-lfs.github.com/spec/v1',
    `oid sha256:${state.sha256}`,
    `size ${state.sizeBytes}`,
  ];
  return `${lines.join('\n')}\n`;
}
