/**
 * Landing in the working tree, recovery of landings that were cut off, and undo. All three are journals carried
 * out by landing-run.ts, one at a time per project.
 */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import type { BytePath } from './byte-path.ts';
import type { ChangeSet } from './change-set.ts';
import { syncAll } from './durable.ts';
import {
  type Journal,
  type LandingConflict,
  landingDirOf,
  listJournals,
  loadJournal,
  pruneLandings,
  saveJournal,
} from './landing-journal.ts';
import { type LandingPlan, planLanding } from './landing-plan.ts';
import { runJournal } from './landing-run.ts';
import { advanceRecord, keepRecord, restoreRecord } from './record-advance.ts';
import { asStagingError } from './sprite-fetch.ts';
import { findSyncDir, landingsDirOf, newId, openSyncDir, type SyncDir } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';

export interface ApplyOptions {
  readonly changeSet: ChangeSet;
  /** Called before every step that changes the disk. */
  readonly onStep?: ((step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ApplyResult {
  /** For `undo`; null: there was nothing to do. */
  readonly landingId: string | null;
  /** Paths that were written, deleted or changed in mode, side-by-side files included. */
  readonly applied: readonly BytePath[];
  readonly merged: readonly BytePath[];
  readonly conflicts: readonly LandingConflict[];
  /** Changes that were here already. */
  readonly sameCount: number;
  readonly warnings: readonly string[];
}

/** Throws `SPRITE_SYNC_FAILED` (no space, not writable: then every file is as before), `SPRITE_BUSY`. */
export async function applyChanges(options: ApplyOptions): Promise<ApplyResult> {
  const { changeSet, signal } = options;
  const sync = openSyncDir(changeSet.root);
  using _lock = await lockLandings(sync, signal);
  finishCutOff(sync, options.onStep);
  pruneLandings(sync);
  const id = newId();
  const dir = landingDirOf(sync, id);
  const { plan, begun } = await stage(options, sync, id);
  if (begun === null) {
    const warnings = await agree(sync, changeSet, signal);
    const { conflicts, sameCount } = plan;
    return { landingId: null, applied: [], merged: [], conflicts, sameCount, warnings };
  }
  const done = runJournal({ root: changeSet.root, dir, onStep: options.onStep }, begun);
  return resultOf(done, plan, await agree(sync, changeSet, signal));
}

/** The files have landed; where that can't be noted down, the next pull finds the same changes, and them here. */
async function agree(sync: SyncDir, changeSet: ChangeSet, signal?: AbortSignal): Promise<string[]> {
  try {
    await advanceRecord(sync, changeSet, signal);
    return [];
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return [`the changes have landed, but the record of it could not be written: ${reason}`];
  }
}

interface Staged {
  readonly plan: LandingPlan;
  /** Null: there is nothing to do. */
  readonly begun: Journal | null;
}

async function stage(
  { changeSet, onStep, signal }: ApplyOptions,
  sync: SyncDir,
  id: string,
): Promise<Staged> {
  const dir = landingDirOf(sync, id);
  try {
    fs.mkdirSync(dir, { recursive: true });
    const plan = await planLanding({ changeSet, dir, ignoresCase: ignoresCase(sync), signal });
    if (plan.operations.length === 0) {
      fs.rmSync(dir, { recursive: true, force: true });
      return { plan, begun: null };
    }
    keepRecord(sync, changeSet, dir);
    await syncAll(dir);
    const begun = journalOf(id, changeSet, plan);
    onStep?.('journal begun');
    saveJournal(dir, begun);
    return { plan, begun };
  } catch (thrown) {
    fs.rmSync(dir, { recursive: true, force: true });
    throw asStagingError(thrown);
  }
}

/** `.gitignore` is always there; where another spelling finds it, too, the file system ignores case. */
function ignoresCase(sync: SyncDir): boolean {
  return fs.existsSync(path.join(sync.path, '.GITIGNORE'));
}

function journalOf(id: string, changeSet: ChangeSet, plan: LandingPlan): Journal {
  return {
    id,
    kind: 'apply',
    state: 'begun',
    createdAt: new Date().toISOString(),
    sprite: changeSet.sprite,
    changeSetId: changeSet.id,
    undoes: null,
    makeDirs: plan.makeDirs,
    removeDirs: plan.removeDirs,
    operations: plan.operations,
    outcomes: [],
    conflicts: plan.conflicts,
  };
}

function resultOf(done: Journal, plan: LandingPlan, warnings: readonly string[]): ApplyResult {
  const applied = done.operations.flatMap(({ path: name }, index) => {
    const outcome = done.outcomes[index];
    if (outcome?.kind === 'applied') return [name];
    return outcome?.kind === 'beside' ? [outcome.at] : [];
  });
  return {
    landingId: done.id,
    applied,
    merged: plan.merged,
    conflicts: done.conflicts,
    sameCount: plan.sameCount,
    warnings,
  };
}

function lockLandings(sync: SyncDir, signal: AbortSignal | undefined): Promise<Disposable> {
  return holdLock(path.join(sync.path, 'landings.lock'), { what: `project ${quote(sync.root)}`, signal });
}

/** Carries on every landing that was begun and not finished; to be called under the landing lock. */
function finishCutOff(sync: SyncDir, onStep?: (step: string) => void): string[] {
  const cutOff = listJournals(sync).filter(({ state }) => state === 'begun');
  for (const journal of cutOff) {
    runJournal({ root: sync.root, dir: landingDirOf(sync, journal.id), onStep }, journal);
  }
  for (const journal of listJournals(sync)) {
    if (journal.kind === 'undo' && journal.state === 'done') finishUndo(sync, journal);
  }
  return cutOff.map(({ id }) => id);
}

/** Finishes what a crash cut off; returns the ids. Every command of sync calls it first. */
export async function recoverLandings(
  root: string,
  options: { onStep?: (step: string) => void; signal?: AbortSignal | undefined } = {},
): Promise<string[]> {
  const sync = findSyncDir(path.resolve(root));
  if (sync === null || !fs.existsSync(landingsDirOf(sync))) return [];
  if (listJournals(sync).every(({ state }) => state !== 'begun')) return [];
  using _lock = await lockLandings(sync, options.signal);
  return finishCutOff(sync, options.onStep);
}

export interface UndoOptions {
  readonly root: string;
  /** The latest that was not undone, when absent. */
  readonly landingId?: string | undefined;
  readonly onStep?: ((step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UndoResult {
  readonly landingId: string;
  /** Paths that are as they were before the landing. */
  readonly restored: readonly BytePath[];
}

/**
 * Puts back what a landing changed. Throws `CONFLICT` when a file was edited since then (nothing is changed),
 * `SPRITE_SYNC_FAILED` when there is nothing to undo, or the disk refuses.
 */
export async function undoLanding(options: UndoOptions): Promise<UndoResult> {
  const sync = openSyncDir(path.resolve(options.root));
  using _lock = await lockLandings(sync, options.signal);
  finishCutOff(sync, options.onStep);
  const landing = landingToUndo(sync, options.landingId);
  const { planUndo } = await import('./undo-plan.ts');
  const id = newId();
  const dir = landingDirOf(sync, id);
  try {
    fs.mkdirSync(dir, { recursive: true });
    const journal = planUndo(sync, landing, id);
    await syncAll(dir);
    options.onStep?.('journal begun');
    saveJournal(dir, journal);
  } catch (thrown) {
    fs.rmSync(dir, { recursive: true, force: true });
    throw asStagingError(thrown);
  }
  const begun = loadJournal(dir);
  if (begun === null) throw errorOf('SPRITE_SYNC_FAILED', `undo: its journal ${quote(id)} vanished`);
  const done = runJournal({ root: sync.root, dir, onStep: options.onStep }, begun);
  finishUndo(sync, done);
  return { landingId: landing.id, restored: done.operations.map(({ path: name }) => name) };
}

function landingToUndo(sync: SyncDir, landingId: string | undefined): Journal {
  const journals = listJournals(sync).filter(({ kind, state }) => kind === 'apply' && state === 'done');
  const landing =
    landingId === undefined ? journals.at(-1) : journals.find((candidate) => candidate.id === landingId);
  if (landing !== undefined) return landing;
  const what =
    landingId === undefined ? 'no landing is left to undo' : `${quote(landingId)} is not a landing to undo`;
  throw errorOf('SPRITE_SYNC_FAILED', `undo: ${what}`, {
    hint: 'see the landings there are: wreckit sync status',
  });
}

/** The record goes back with the files, so that the next pull offers the same changes again. */
function finishUndo(sync: SyncDir, undo: Journal): void {
  if (undo.undoes === null) return;
  const dir = landingDirOf(sync, undo.undoes);
  const landing = loadJournal(dir);
  if (landing !== null && landing.state === 'done') {
    restoreRecord(sync, landing.sprite, dir);
    saveJournal(dir, { ...landing, state: 'undone' });
  }
  fs.rmSync(landingDirOf(sync, undo.id), { recursive: true, force: true });
}
