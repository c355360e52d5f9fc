/**
 * A landing: what is to be done to files of the project, written down before the first of them is touched.
 *
 *   landings/ID/journal.json   begun ─▶ done ─▶ undone          (renamed into place at every step)
 *   landings/ID/after/N        new content of operation N, complete and synced before `begun`
 *   landings/ID/before/N       what was at the path, linked there just before it is replaced
 *   landings/ID/record/        the sprite's record before the landing
 *
 * Each operation is one rename, link, unlink or chmod, so each file is old or new at every moment. After a
 * crash the journal is carried on where it stopped: an operation whose path has the state before is to be done,
 * one whose path has the state after is done, and anything else is somebody's edit, which stays.
 */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import type { BytePath } from './byte-path.ts';
import { readIfThere, writeDurably } from './durable.ts';
import type { StatKey } from './push-plan.ts';
import { landingsDirOf, type SyncDir } from './sync-dir.ts';
import type { ConflictReason } from './three-way.ts';

export type OperationBefore =
  | { readonly kind: 'file'; readonly sha256: string; readonly stat: StatKey }
  | { readonly kind: 'symlink'; readonly target: BytePath }
  | null;

export type OperationAfter =
  | { readonly kind: 'file'; readonly sha256: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly target: BytePath }
  /** The same content with other permission bits. */
  | { readonly kind: 'mode'; readonly mode: number }
  | null;

export interface Operation {
  readonly path: BytePath;
  readonly before: OperationBefore;
  readonly after: OperationAfter;
}

export type Outcome =
  | { readonly kind: 'applied' }
  /** Was so already: somebody else did it. */
  | { readonly kind: 'same' }
  /** Edited here at the last moment; the new content lies at `at`. */
  | { readonly kind: 'beside'; readonly at: BytePath }
  /** Edited here at the last moment; there was nothing to lay beside it. */
  | { readonly kind: 'kept' };

export interface RecordedDirectory {
  readonly path: BytePath;
  /** Exact permission bits to give it; null for what a new directory gets. */
  readonly mode: number | null;
}

export interface LandingConflict {
  readonly path: BytePath;
  readonly reason: ConflictReason | 'held' | 'case_clash' | 'edited_meanwhile';
  /** Where the sprite's version lies; null where it has none, or there is nothing to keep. */
  readonly beside: BytePath | null;
}

export interface Journal {
  readonly id: string;
  readonly kind: 'apply' | 'undo';
  readonly state: 'begun' | 'done' | 'undone';
  readonly createdAt: string;
  readonly sprite: string;
  readonly changeSetId: string;
  /** The landing that an `undo` takes back. */
  readonly undoes: string | null;
  readonly makeDirs: readonly RecordedDirectory[];
  /** Deepest first; removed where they are empty. */
  readonly removeDirs: readonly RecordedDirectory[];
  readonly operations: readonly Operation[];
  /** One for each operation, once the landing is done. */
  readonly outcomes: readonly Outcome[];
  readonly conflicts: readonly LandingConflict[];
}

const VERSION = 1;
/** Older landings can't be undone any more. */
const KEPT_LANDINGS = 10;

export function landingDirOf(sync: SyncDir, id: string): string {
  return path.join(landingsDirOf(sync), id);
}

export function saveJournal(dir: string, journal: Journal): void {
  writeDurably(path.join(dir, 'journal.json'), [JSON.stringify({ version: VERSION, ...journal }), '\n']);
}

/** Null where the directory has none: the landing had not begun. Throws `SPRITE_SYNC_FAILED` when it is damaged. */
export function loadJournal(dir: string): Journal | null {
  const text = readIfThere(path.join(dir, 'journal.json'));
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (isJournal(value)) return value;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  throw errorOf('SPRITE_SYNC_FAILED', `landing: the journal in ${quote(dir)} is damaged`, {
    hint: 'the files before it are in its directory "before"; move the landing away to go on',
  });
}

/** By `saveJournal`; only what other code relies on to find its way is looked at. */
function isJournal(value: unknown): value is Journal {
  if (typeof value !== 'object' || value === null) return false;
  const journal = value as Partial<Journal> & { version?: unknown };
  return (
    journal.version === VERSION &&
    typeof journal.id === 'string' &&
    (journal.state === 'begun' || journal.state === 'done' || journal.state === 'undone') &&
    Array.isArray(journal.operations) &&
    Array.isArray(journal.outcomes) &&
    Array.isArray(journal.makeDirs) &&
    Array.isArray(journal.removeDirs)
  );
}

/** Oldest first; those that had not begun are left out. */
export function listJournals(sync: SyncDir): Journal[] {
  const dir = landingsDirOf(sync);
  if (!fs.existsSync(dir)) return [];
  const journals = fs
    .readdirSync(dir)
    .sort()
    .map((id) => loadJournal(path.join(dir, id)));
  return journals.filter((journal) => journal !== null);
}

/** Removes what is too old to be undone, and what never began. To be called under the landing lock. */
export function pruneLandings(sync: SyncDir): void {
  const dir = landingsDirOf(sync);
  if (!fs.existsSync(dir)) return;
  const ids = fs.readdirSync(dir).sort();
  const journals = ids.map((id) => ({ id, journal: loadJournal(path.join(dir, id)) }));
  const finished = journals.filter(({ journal }) => journal !== null && journal.state !== 'begun');
  const old = finished.slice(0, Math.max(0, finished.length - KEPT_LANDINGS));
  const unbegun = journals.filter(({ journal }) => journal === null);
  for (const { id } of [...old, ...unbegun]) fs.rmSync(path.join(dir, id), { recursive: true, force: true });
}
