/**
 * What is kept about a project, in the project: on its own file system, so that files can be moved into place,
 * and ignored by git through a .gitignore of its own.
 *
 *   .wreckit/sync/
 *     sprites/NAME/   record.json (what was pushed, entry by entry), base.bin (content for merges), lock
 *     pulls/ID/       change set: changes.json, blobs/
 *     landings/ID/    journal.json, after/ (staged), before/ (what was there), for recovery and undo
 */
import fs from 'node:fs';
import path from 'node:path';
import { assertSpriteName, quote } from '../contract/names.ts';
import { errnoOf, errorOf, WreckitError } from '../errors.ts';

export interface SyncDir {
  readonly root: string;
  readonly path: string;
}

/** Makes it where it is missing. Throws `SPRITE_SYNC_FAILED`: not writable, or a link in its place. */
export function openSyncDir(root: string): SyncDir {
  const dir = path.join(root, '.wreckit', 'sync');
  try {
    for (const part of [path.join(root, '.wreckit'), dir]) makeStateDirectory(part);
    const ignore = path.join(dir, '.gitignore');
    if (!fs.existsSync(ignore)) fs.writeFileSync(ignore, '*\n');
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (thrown instanceof WreckitError || errno === undefined) throw thrown;
    throw errorOf('SPRITE_SYNC_FAILED', `sync state: ${quote(dir)} can't be made: ${errno}`, {
      hint: 'the project needs a writable .wreckit directory',
      details: { errno },
      cause: thrown,
    });
  }
  return { root, path: dir };
}

/** The directory without making it; null where nothing was ever synced. */
export function findSyncDir(root: string): SyncDir | null {
  const dir = path.join(root, '.wreckit', 'sync');
  return fs.lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() === true ? { root, path: dir } : null;
}

export function spriteDirOf(sync: SyncDir, sprite: string): string {
  return path.join(sync.path, 'sprites', assertSpriteName(sprite));
}

export function landingsDirOf(sync: SyncDir): string {
  return path.join(sync.path, 'landings');
}

/** Sortable by time, unique: `20260102t030405678-4f9a1c`. */
export function newId(now = new Date()): string {
  const stamp = now
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .toLowerCase();
  return `${stamp}-${Math.random().toString(16).slice(2, 8).padEnd(6, '0')}`;
}

/**
 * Makes it where it is missing. Throws `SPRITE_SYNC_FAILED` for a file, or a link through which state would be
 * written somewhere else; the system error where it can't be made.
 */
export function makeStateDirectory(dir: string): void {
  const stat = fs.lstatSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) fs.mkdirSync(dir, { mode: 0o755 });
  else if (!stat.isDirectory()) {
    throw errorOf('SPRITE_SYNC_FAILED', `records of wreckit: ${quote(dir)} is not a directory`, {
      hint: 'move it away: wreckit keeps its records there',
    });
  }
}
