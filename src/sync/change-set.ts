/**
 * What a sprite changed, taken out of it and verified, complete in one directory: it can be landed later, more
 * than once, and when the sprite is gone.
 *
 *   DIR/changes.json   this document      DIR/blobs/aN   content after      DIR/blobs/bN   content before
 */
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import { type BytePath, showPath } from './byte-path.ts';
import { readIfThere, writeDurably } from './durable.ts';
import type { EntryState } from './entry-state.ts';
import type { RecordedRepository } from './sprite-record.ts';

export interface Change {
  readonly path: BytePath;
  /** As pushed; null: it is new. */
  readonly before: EntryState | null;
  /** As it is in the sprite; null: it was deleted there. */
  readonly after: EntryState | null;
  /** Permission bits the file has in the sprite; null for links and deletions. */
  readonly mode: number | null;
  /** File below `blobs/`; null for links, and where the content was not kept (too big, and not committed). */
  readonly beforeBlob: string | null;
  readonly afterBlob: string | null;
  /** Git blob that has the content before; null where no commit has it. */
  readonly beforeOid: string | null;
}

export type RejectionKind =
  | 'unsafe_name'
  | 'unsafe_link'
  | 'special'
  | 'too_large'
  | 'unreadable'
  | 'kept_back'
  | 'private'
  | 'case_clash';

/** Something in the sprite that is not taken over, and why. */
export interface Rejection {
  readonly path: BytePath;
  readonly kind: RejectionKind;
  /** For people, after the file's name. */
  readonly reason: string;
}

export interface ChangeSet {
  readonly id: string;
  /** Where it lies; not part of the document. */
  readonly dir: string;
  /** The project. */
  readonly root: string;
  readonly sprite: string;
  /** Mark of the push it was compared with. */
  readonly token: string;
  readonly createdAt: string;
  readonly repositories: readonly RecordedRepository[];
  /** Sorted by path. */
  readonly changes: readonly Change[];
  readonly rejected: readonly Rejection[];
  /** Pairs of names that are one on a file system that ignores case. */
  readonly caseClashes: readonly (readonly [BytePath, BytePath])[];
  /** New files that git ignores or a pattern excludes. */
  readonly ignoredCount: number;
  readonly warnings: readonly string[];
}

const VERSION = 1;

export function blobFile({ dir }: Pick<ChangeSet, 'dir'>, blob: string): string {
  return path.join(dir, 'blobs', blob);
}

/** False where something of the sprite's work is only in the sprite: it should not be killed yet. */
export function isComplete({ rejected }: ChangeSet): boolean {
  return rejected.length === 0;
}

/** What people should hear of it beside the changes themselves. */
export function warningsOf({ warnings, caseClashes }: ChangeSet): string[] {
  const clashes = caseClashes.map(
    ([name, other]) => `${showPath(name)} and ${showPath(other)} are one file where case does not count`,
  );
  return [...warnings, ...clashes];
}

export function saveChangeSet(changeSet: ChangeSet): void {
  const { dir, ...document } = changeSet;
  writeDurably(path.join(dir, 'changes.json'), [JSON.stringify({ version: VERSION, ...document }), '\n']);
}

/** Throws `SPRITE_SYNC_FAILED` where there is none, or it is damaged. */
export function loadChangeSet(dir: string): ChangeSet {
  const text = readIfThere(path.join(dir, 'changes.json'));
  if (text === null) throw damaged(dir, 'has no changes.json');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw damaged(dir, 'has a changes.json that is no JSON', thrown);
  }
  if (!isDocument(value)) throw damaged(dir, 'has a changes.json of another kind');
  const { version: _, ...document } = value;
  return { ...document, dir };
}

type Document = Omit<ChangeSet, 'dir'> & { readonly version: number };

/**
 * Written by `saveChangeSet` in a directory that no sprite reaches; blob names are checked all the same, since
 * files are opened by them.
 */
function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null) return false;
  const document = value as Partial<Document>;
  const isWhole =
    document.version === VERSION &&
    typeof document.id === 'string' &&
    typeof document.root === 'string' &&
    typeof document.sprite === 'string' &&
    typeof document.token === 'string' &&
    Array.isArray(document.repositories) &&
    Array.isArray(document.rejected) &&
    Array.isArray(document.caseClashes) &&
    Array.isArray(document.warnings) &&
    Array.isArray(document.changes);
  return isWhole && (document.changes as Change[]).every(isChange);
}

function isChange(change: Change): boolean {
  const blobs = [change.beforeBlob, change.afterBlob];
  return typeof change.path === 'string' && blobs.every((blob) => blob === null || /^[ab]\d+$/.test(blob));
}

function damaged(dir: string, what: string, cause?: unknown): Error {
  return errorOf('SPRITE_SYNC_FAILED', `change set: ${quote(dir)} ${what}`, {
    hint: 'pull again: wreckit sync pull SPRITE',
    cause,
  });
}
