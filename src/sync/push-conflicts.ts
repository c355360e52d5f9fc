/**
 * A push must not overwrite what was done in the sprite: every file that would be sent or removed is compared
 * with what is there now. What differs from the record and from the project is the sprite's own work.
 */

import { WreckitError } from '../errors.ts';
import { type BytePath, parentsOf, showPath } from './byte-path.ts';
import { type EntryState, isSameState } from './entry-state.ts';
import type { SpriteRecord } from './sprite-record.ts';
import type { SpriteScan } from './sprite-scan.ts';
import type { SpriteState } from './sprite-states.ts';

export interface PushComparison {
  readonly scan: SpriteScan;
  readonly states: ReadonlyMap<BytePath, SpriteState>;
  readonly record: SpriteRecord | null;
  /** What the project has now. */
  readonly wanted: ReadonlyMap<BytePath, EntryState>;
  readonly removed: readonly BytePath[];
  /** Sent by a push that did not come to its end: whatever is there is ours. */
  readonly pending: ReadonlySet<BytePath>;
}

export interface PushDecision {
  readonly send: ReadonlySet<BytePath>;
  /** Already there. */
  readonly present: ReadonlySet<BytePath>;
  readonly remove: readonly BytePath[];
  /** The sprite's own work in the way. */
  readonly conflicts: readonly BytePath[];
}

export function decidePush(comparison: PushComparison): PushDecision {
  const { wanted, removed, states } = comparison;
  const send = new Set<BytePath>();
  const present = new Set<BytePath>();
  const conflicts = new Set<BytePath>();
  for (const [path, state] of wanted) {
    const there = states.get(path) ?? null;
    if (isSame(there, state)) present.add(path);
    else {
      send.add(path);
      if (there !== null && !isOurs(path, there, comparison)) conflicts.add(path);
    }
  }
  const remove = removed.filter((path) => {
    const there = states.get(path) ?? null;
    if (there === null) return false;
    if (!isOurs(path, there, comparison)) conflicts.add(path);
    return true;
  });
  for (const path of inTheWay(comparison.scan, send, new Set(remove))) conflicts.add(path);
  return { send, present, remove, conflicts: [...conflicts] };
}

export function pushConflictError(sprite: string, conflicts: readonly BytePath[]): WreckitError {
  const shown = conflicts.slice(0, 5).map((path) => `"${showPath(path)}"`);
  const more = conflicts.length > shown.length ? ` and ${conflicts.length - shown.length} more` : '';
  const message = `push to sprite "${sprite}": ${shown.join(', ')}${more} changed there and here`;
  return new WreckitError('CONFLICT', message, {
    hint: `take the sprite's changes first: wreckit sync pull ${sprite}, or overwrite them with --force`,
    details: { paths: conflicts.map(showPath) },
  });
}

function isSame(there: SpriteState, state: EntryState): boolean {
  return there !== null && (there.kind === 'file' || there.kind === 'symlink') && isSameState(there, state);
}

function isOurs(path: BytePath, there: SpriteState, { record, pending }: PushComparison): boolean {
  if (pending.has(path)) return true;
  const base = record?.entries.get(path);
  return base !== undefined && isSame(there, base);
}

/** Files where a directory is needed, and directories with files of the sprite's own where a file is to go. */
function* inTheWay(
  scan: SpriteScan,
  send: ReadonlySet<BytePath>,
  remove: ReadonlySet<BytePath>,
): Generator<BytePath> {
  const directories = new Set<BytePath>();
  for (const path of scan.entries.keys()) {
    if (remove.has(path)) continue;
    for (const parent of parentsOf(path)) directories.add(parent);
  }
  for (const path of send) {
    if (directories.has(path)) yield path;
    for (const parent of parentsOf(path)) {
      if (scan.entries.has(parent) && !remove.has(parent)) yield parent;
    }
  }
}
