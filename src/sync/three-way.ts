/**
 * What becomes of one path: as pushed, as it is in the sprite, as it is here now. Pure; the table is the whole
 * rule of "apply":
 *
 *   sprite = pushed                    nothing          here = pushed            the sprite's
 *   sprite = here                      nothing          both differ              a conflict:
 *     text on all three sides          merged line by line; where that fails, beside
 *     deleted in the sprite            what is here stays
 *     anything else                    what is here stays, the sprite's goes beside it (PATH.sprite)
 *
 * Of a file that is one on all three sides, content and executable bit are decided each for itself.
 */
import { type EntryState, type FileState, isSameContent, isSameState } from './entry-state.ts';

export type Decision =
  | { readonly kind: 'nothing' }
  /** The sprite's state takes the place of what is here. */
  | { readonly kind: 'take'; readonly isExecutable: boolean }
  /** The content here stays, its executable bit changes. */
  | { readonly kind: 'set_mode'; readonly isExecutable: boolean }
  | { readonly kind: 'merge'; readonly isExecutable: boolean }
  | { readonly kind: 'conflict'; readonly reason: ConflictReason };

export type ConflictReason =
  /** Changed on both sides, and not the same way. */
  | 'changed_both'
  /** New on both sides, and not the same. */
  | 'added_both'
  | 'deleted_here'
  | 'deleted_there'
  /** Something else is at the path, or above it. */
  | 'in_the_way';

export interface Sides {
  readonly before: EntryState | null;
  readonly sprite: EntryState | null;
  /** `other`: here is something that sync doesn't carry, such as a directory. */
  readonly here: EntryState | null | 'other';
}

export function decide({ before, sprite, here }: Sides): Decision {
  if (isSameState(before, sprite)) return { kind: 'nothing' };
  // No entry of that name is here either: a directory has taken its place, or a file that of one above it.
  if (here === 'other') return sprite === null ? { kind: 'nothing' } : conflict('in_the_way');
  if (isSameState(sprite, here)) return { kind: 'nothing' };
  if (before?.kind === 'file' && sprite?.kind === 'file' && here?.kind === 'file') {
    return decideFile(before, sprite, here);
  }
  if (isSameState(before, here)) return { kind: 'take', isExecutable: isExecutable(sprite) };
  if (sprite === null) return conflict('deleted_there');
  if (here === null) return conflict('deleted_here');
  return conflict(before === null ? 'added_both' : 'changed_both');
}

function decideFile(before: FileState, sprite: FileState, here: FileState): Decision {
  const mode = sprite.isExecutable === before.isExecutable ? here.isExecutable : sprite.isExecutable;
  const isOurs = isSameContent(sprite, before) || isSameContent(sprite, here);
  if (isOurs) {
    return mode === here.isExecutable ? { kind: 'nothing' } : { kind: 'set_mode', isExecutable: mode };
  }
  if (isSameContent(before, here)) return { kind: 'take', isExecutable: mode };
  return { kind: 'merge', isExecutable: mode };
}

function isExecutable(state: EntryState | null): boolean {
  return state?.kind === 'file' && state.isExecutable;
}

function conflict(reason: ConflictReason): Decision {
  return { kind: 'conflict', reason };
}
