/** The journal that takes a landing back: every operation turned round, content from what the landing kept. */
import fs from 'node:fs';
import path from 'node:path';
import { WreckitError } from '../errors.ts';
import { showPath } from './byte-path.ts';
import { type HostState, hostStateOf, lstatOf } from './host-state.ts';
import {
  type Journal,
  landingDirOf,
  type Operation,
  type OperationAfter,
  type OperationBefore,
  type RecordedDirectory,
} from './landing-journal.ts';
import { isFreed } from './making-room.ts';
import type { SyncDir } from './sync-dir.ts';

/** Throws `CONFLICT` where a file was edited since the landing. */
export function planUndo(sync: SyncDir, landing: Journal, id: string): Journal {
  const dir = landingDirOf(sync, id);
  const kept = path.join(landingDirOf(sync, landing.id), 'before');
  const operations: Operation[] = [];
  const edited: string[] = [];
  const gone = new Set(
    landing.operations.filter(({ before }) => before === null).map(({ path: name }) => name),
  );
  for (const [index, operation] of landing.operations.entries()) {
    const outcome = landing.outcomes[index];
    if (outcome === undefined || outcome.kind === 'kept' || outcome.kind === 'same') continue;
    const at = outcome.kind === 'beside' ? outcome.at : operation.path;
    const done = outcome.kind === 'beside' ? { ...operation, path: at, before: null } : operation;
    const found = hostStateOf(sync.root, at);
    const here = isFreed(sync.root, at, found, gone) ? null : found;
    const before = presentAs(sync, done, here);
    if (before === undefined) edited.push(showPath(at));
    else operations.push({ path: at, before, after: afterOf(done, kept, dir, index, operations.length) });
  }
  if (edited.length > 0) throw editedError(edited);
  return {
    id,
    kind: 'undo',
    state: 'begun',
    createdAt: new Date().toISOString(),
    sprite: landing.sprite,
    changeSetId: landing.changeSetId,
    undoes: landing.id,
    makeDirs: [...landing.removeDirs]
      .reverse()
      .filter(({ path: name }) => lstatOf(sync.root, name) === undefined),
    removeDirs: madeBy(landing),
    operations,
    outcomes: [],
    conflicts: [],
  };
}

/** What the landing left at the path, in the words of an operation; undefined when it is something else by now. */
function presentAs(
  sync: SyncDir,
  { path: name, before, after }: Operation,
  here: HostState,
): OperationBefore | undefined {
  if (after === null) return here === null ? null : undefined;
  if (after.kind === 'symlink') {
    const isSame = here?.kind === 'symlink' && here.target === after.target;
    return isSame ? { kind: 'symlink', target: after.target } : undefined;
  }
  const sha256 = after.kind === 'file' ? after.sha256 : before?.kind === 'file' ? before.sha256 : null;
  if (here?.kind !== 'file' || here.sha256 !== sha256) return undefined;
  const mode = Number(lstatOf(sync.root, name)?.mode ?? 0) & 0o7777;
  return mode === after.mode ? { kind: 'file', sha256: here.sha256, stat: here.stat } : undefined;
}

/** The very file that was there before, linked back: its times are as they were, too. */
function afterOf(
  { before, after }: Operation,
  kept: string,
  dir: string,
  index: number,
  newIndex: number,
): OperationAfter {
  if (before === null) return null;
  if (before.kind === 'symlink') return { kind: 'symlink', target: before.target };
  if (after?.kind === 'mode') return { kind: 'mode', mode: before.stat.mode };
  const staged = path.join(dir, 'after', String(newIndex));
  fs.mkdirSync(path.dirname(staged), { recursive: true });
  linkOrCopy(path.join(kept, String(index)), staged);
  return { kind: 'file', sha256: before.sha256, mode: before.stat.mode };
}

function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch {
    // A file system without hard links; what is wrong otherwise, the copy reports.
    const { mode, atime, mtime } = fs.statSync(from);
    fs.copyFileSync(from, to);
    fs.chmodSync(to, mode & 0o7777);
    fs.utimesSync(to, atime, mtime);
  }
}

function madeBy({ makeDirs }: Journal): RecordedDirectory[] {
  return [...makeDirs].sort((a, b) => b.path.length - a.path.length);
}

function editedError(edited: readonly string[]): WreckitError {
  const shown = edited.slice(0, 5).map((name) => `"${name}"`);
  const more = edited.length > shown.length ? ` and ${edited.length - shown.length} more` : '';
  return new WreckitError('CONFLICT', `undo: ${shown.join(', ')}${more} changed since the landing`, {
    hint: 'nothing was changed; commit or move your edits away, then undo again',
    details: { paths: edited },
  });
}
