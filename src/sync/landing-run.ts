/** Carries out a landing's journal, from its beginning or from where a crash left it (see landing-journal.ts). */
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, errorOf, WreckitError } from '../errors.ts';
import { freeNameBeside } from './beside-name.ts';
import { type BytePath, hostPath, parentsOf, showPath } from './byte-path.ts';
import { giveToOwnerOf } from './file-owner.ts';
import { entryOf, type HostState, hostStateOf, lstatOf } from './host-state.ts';
import {
  changeMode,
  copyEntry,
  createExclusively,
  EditedMeanwhile,
  isWithoutLinks,
  makeStagedLink,
  moveInto,
} from './landing-disk.ts';
import type { Journal, LandingConflict, Operation, Outcome } from './landing-journal.ts';
import { saveJournal } from './landing-journal.ts';
import { statKeyOf } from './push-plan.ts';

export interface LandingRun {
  readonly root: string;
  /** The landing's own directory. */
  readonly dir: string;
  /** Called before every step that changes the disk, with its name. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/**
 * Returns the finished journal. Throws `SPRITE_SYNC_FAILED` when the disk refuses an operation (full,
 * read-only); everything done until then is taken back first.
 */
export function runJournal(run: LandingRun, begun: Journal): Journal {
  const outcomes: Outcome[] = [];
  try {
    for (const [index, operation] of begun.operations.entries()) {
      if (operation.after === null) outcomes[index] = perform(run, operation, index);
    }
    for (const { path: name } of begun.removeDirs) removeIfEmpty(run, name);
    for (const { path: name, mode } of begun.makeDirs) makeDirectory(run, name, mode);
    for (const [index, operation] of begun.operations.entries()) {
      if (operation.after !== null) outcomes[index] = perform(run, operation, index);
    }
    const conflicts = [...begun.conflicts, ...late(begun, outcomes)];
    const done: Journal = { ...begun, state: 'done', outcomes, conflicts };
    run.onStep?.('journal done');
    saveJournal(run.dir, done);
    fs.rmSync(path.join(run.dir, 'after'), { recursive: true, force: true });
    return done;
  } catch (thrown) {
    throw takeBack(run, begun, outcomes, thrown);
  }
}

function late({ operations }: Journal, outcomes: readonly Outcome[]): LandingConflict[] {
  return outcomes.flatMap((outcome, index) => {
    const name = operations[index]?.path;
    if (outcome.kind === 'applied' || outcome.kind === 'same' || name === undefined) return [];
    return [
      {
        path: name,
        reason: 'edited_meanwhile' as const,
        beside: outcome.kind === 'beside' ? outcome.at : null,
      },
    ];
  });
}

function perform(run: LandingRun, operation: Operation, index: number): Outcome {
  const here = hostStateOf(run.root, operation.path);
  if (!isBefore(run, here, operation)) {
    if (!isAfter(run, here, operation)) return layBeside(run, operation, index);
    // Done before a crash; or by somebody else, and then there is nothing of it to undo.
    return canBeUndone(run, operation, index) ? { kind: 'applied' } : { kind: 'same' };
  }
  try {
    if (operation.before !== null && operation.after?.kind !== 'mode') keepBefore(run, operation, index);
    change(run, operation, index);
    return { kind: 'applied' };
  } catch (thrown) {
    if (thrown instanceof EditedMeanwhile) return layBeside(run, operation, index);
    throw thrown;
  }
}

function isBefore(run: LandingRun, here: HostState, { path: name, before }: Operation): boolean {
  if (before === null) return here === null;
  if (before.kind === 'symlink') return here?.kind === 'symlink' && here.target === before.target;
  if (here?.kind !== 'file' || here.sha256 !== before.sha256) return false;
  return modeOf(run.root, name) === before.stat.mode;
}

function isAfter(run: LandingRun, here: HostState, { path: name, before, after }: Operation): boolean {
  // A directory may have taken the place already, or a file that of a directory above.
  if (after === null) return entryOf(here) === null;
  if (after.kind === 'symlink') return here?.kind === 'symlink' && here.target === after.target;
  if (here?.kind !== 'file' || modeOf(run.root, name) !== after.mode) return false;
  const sha256 = after.kind === 'file' ? after.sha256 : before?.kind === 'file' ? before.sha256 : null;
  return here.sha256 === sha256;
}

function canBeUndone(run: LandingRun, { before, after }: Operation, index: number): boolean {
  if (before?.kind !== 'file' || after?.kind === 'mode') return true;
  return fs.existsSync(path.join(run.dir, 'before', String(index)));
}

function modeOf(root: string, name: BytePath): number | null {
  const stat = lstatOf(root, name);
  return stat === undefined ? null : Number(stat.mode) & 0o7777;
}

/** The old file itself, under a second name; where the file system has no hard links, a copy. */
function keepBefore(run: LandingRun, operation: Operation, index: number): void {
  const { path: name } = operation;
  const kept = path.join(run.dir, 'before', String(index));
  run.onStep?.(`keep ${showPath(name)}`);
  fs.mkdirSync(path.dirname(kept), { recursive: true });
  fs.rmSync(kept, { force: true });
  const from = hostPath(run.root, name);
  try {
    fs.linkSync(from, kept);
  } catch (thrown) {
    if (!isStillBefore(run, operation)) throw new EditedMeanwhile();
    if (!isWithoutLinks(thrown)) throw thrown;
    copyEntry(run.root, name, kept);
  }
}

function change(run: LandingRun, operation: Operation, index: number): void {
  const { path: name, before, after } = operation;
  const target = hostPath(run.root, name);
  const staged = path.join(run.dir, 'after', String(index));
  if (after !== null) assertParents(run.root, name);
  // The last look, right before the one step that can't be taken back.
  const recheck = (): void => {
    if (!isStillBefore(run, operation)) throw new EditedMeanwhile();
  };
  run.onStep?.(`change ${showPath(name)}`);
  if (after === null) {
    recheck();
    fs.unlinkSync(target);
  } else if (after.kind === 'mode') {
    recheck();
    changeMode(target, after.mode);
  } else if (before === null) {
    createExclusively(target, staged, after);
  } else {
    if (after.kind === 'symlink') makeStagedLink(staged, after.target);
    recheck();
    moveInto(staged, target, `${run.dir.slice(run.dir.lastIndexOf('/') + 1)}-${index}`);
  }
}

/** Cheaper than hashing again: keeping a second name has changed the ctime, all else must be the same. */
function isStillBefore(run: LandingRun, { path: name, before }: Operation): boolean {
  const stat = lstatOf(run.root, name);
  if (before === null || stat === undefined) return false;
  if (before.kind === 'symlink') return stat.isSymbolicLink();
  const now = statKeyOf(stat);
  const { ino, mtimeMs, sizeBytes, mode } = before.stat;
  return (
    stat.isFile() &&
    now.ino === ino &&
    now.mtimeMs === mtimeMs &&
    now.sizeBytes === sizeBytes &&
    now.mode === mode
  );
}

function assertParents(root: string, name: BytePath): void {
  for (const parent of parentsOf(name)) {
    const stat = lstatOf(root, parent);
    if (stat === undefined) {
      fs.mkdirSync(hostPath(root, parent));
      giveToOwnerOf(root, hostPath(root, parent));
    }
    if (stat?.isDirectory() === false) throw new EditedMeanwhile();
  }
}

function layBeside(run: LandingRun, operation: Operation, index: number): Outcome {
  const { path: name, after } = operation;
  if (after === null || after.kind === 'mode') return { kind: 'kept' };
  const staged = path.join(run.dir, 'after', String(index));
  if (after.kind === 'file' && !fs.existsSync(staged)) return { kind: 'kept' };
  const at = freeNameBeside(run.root, name, new Set());
  run.onStep?.(`beside ${showPath(at)}`);
  assertParents(run.root, at);
  createExclusively(hostPath(run.root, at), staged, after);
  return { kind: 'beside', at };
}

function makeDirectory(run: LandingRun, name: BytePath, mode: number | null): void {
  if (lstatOf(run.root, name) !== undefined) return;
  run.onStep?.(`make ${showPath(name)}`);
  try {
    fs.mkdirSync(hostPath(run.root, name));
    if (mode !== null) fs.chmodSync(hostPath(run.root, name), mode);
    else giveToOwnerOf(run.root, hostPath(run.root, name));
  } catch (thrown) {
    const errno = errnoOf(thrown);
    // Something came there: the operations below it see what it is.
    if (errno !== 'EEXIST' && errno !== 'ENOENT' && errno !== 'ENOTDIR') throw thrown;
  }
}

function removeIfEmpty(run: LandingRun, name: BytePath): void {
  if (lstatOf(run.root, name)?.isDirectory() !== true) return;
  run.onStep?.(`remove ${showPath(name)}`);
  try {
    fs.rmdirSync(hostPath(run.root, name));
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST' && errno !== 'ENOENT' && errno !== 'EBUSY') throw thrown;
  }
}

function takeBack(
  run: LandingRun,
  journal: Journal,
  outcomes: readonly (Outcome | undefined)[],
  reason: unknown,
): unknown {
  try {
    rollBack(run, journal, outcomes);
    return asLandingError(reason);
  } catch (thrown) {
    return errorOf(
      'SPRITE_SYNC_FAILED',
      `land the changes: the disk refuses it, and refuses to take it back`,
      {
        hint: 'each file is old or new; the next wreckit sync command goes on with it',
        details: { errno: errnoOf(thrown) ?? null, landing: journal.id },
        cause: reason,
      },
    );
  }
}

/** What was made goes first, so that there is room again for what it took the place of. */
function rollBack(run: LandingRun, journal: Journal, outcomes: readonly (Outcome | undefined)[]): void {
  const operations = [...journal.operations.entries()];
  for (const outcome of outcomes) {
    if (outcome?.kind === 'beside') fs.rmSync(hostPath(run.root, outcome.at), { force: true });
  }
  for (const [index, operation] of operations)
    if (operation.before === null) takeBackOne(run, operation, index);
  for (const { path: name } of [...journal.makeDirs].reverse()) removeIfEmpty(run, name);
  for (const { path: name, mode } of [...journal.removeDirs].reverse()) makeDirectory(run, name, mode);
  for (const [index, operation] of operations)
    if (operation.before !== null) takeBackOne(run, operation, index);
  fs.rmSync(run.dir, { recursive: true, force: true });
}

function takeBackOne(run: LandingRun, operation: Operation, index: number): void {
  const here = hostStateOf(run.root, operation.path);
  if (isAfter(run, here, operation) && canBeUndone(run, operation, index)) putBack(run, operation, index);
}

function putBack(run: LandingRun, { path: name, before, after }: Operation, index: number): void {
  const target = hostPath(run.root, name);
  if (before === null) {
    if (after !== null) fs.unlinkSync(target);
  } else if (after?.kind === 'mode' && before.kind === 'file') changeMode(target, before.stat.mode);
  else moveInto(path.join(run.dir, 'before', String(index)), target, `back-${index}`);
}

function asLandingError(thrown: unknown): unknown {
  const errno = errnoOf(thrown);
  if (thrown instanceof WreckitError || errno === undefined) return thrown;
  const isFull = errno === 'ENOSPC' || errno === 'EDQUOT';
  const what = isFull ? 'there is no space left on this disk' : `the disk refuses it: ${errno}`;
  return errorOf('SPRITE_SYNC_FAILED', `land the changes: ${what}`, {
    hint: 'every file is as it was before; the changes are kept and can be landed again',
    details: { errno },
    cause: thrown,
  });
}
