/** What is known here about sprites that were pushed to, and about landings. Nothing is asked of a sprite. */
import fs from 'node:fs';
import path from 'node:path';
import { isSpriteName } from '../contract/names.ts';
import { listJournals } from './landing-journal.ts';
import { loadPending } from './pending-push.ts';
import { loadRecord } from './sprite-record.ts';
import { findSyncDir, type SyncDir, spriteDirOf } from './sync-dir.ts';

export interface PushedSprite {
  readonly sprite: string;
  readonly dir: string;
  readonly pushedAt: string;
  readonly fileCount: number;
  /** Commit the project was at. */
  readonly head: string | null;
  /** A push was cut off; the next one finishes it. */
  readonly isPending: boolean;
}

export interface LandingStatus {
  readonly landingId: string;
  readonly createdAt: string;
  readonly sprite: string;
  readonly fileCount: number;
  readonly conflictCount: number;
  readonly canUndo: boolean;
}

export interface SyncStatus {
  readonly sprites: readonly PushedSprite[];
  /** Oldest first. */
  readonly landings: readonly LandingStatus[];
}

/** Throws `SPRITE_SYNC_FAILED` for a record that is damaged. */
export function syncStatus(root: string): SyncStatus {
  const sync = findSyncDir(path.resolve(root));
  if (sync === null) return { sprites: [], landings: [] };
  const journals = listJournals(sync).filter(({ kind }) => kind === 'apply');
  const landings = journals.map((journal) => ({
    landingId: journal.id,
    createdAt: journal.createdAt,
    sprite: journal.sprite,
    fileCount: journal.operations.length,
    conflictCount: journal.conflicts.length,
    canUndo: journal.state === 'done',
  }));
  return { sprites: pushedSprites(sync), landings };
}

function pushedSprites(sync: SyncDir): PushedSprite[] {
  const dir = path.join(sync.path, 'sprites');
  if (!fs.existsSync(dir)) return [];
  return fs
    .readdirSync(dir)
    .filter(isSpriteName)
    .sort()
    .flatMap((sprite) => {
      const spriteDir = spriteDirOf(sync, sprite);
      const record = loadRecord(spriteDir);
      if (record === null) return [];
      const head = record.repositories.find(({ at }) => at === '')?.head ?? null;
      const { dir: inside, pushedAt, entries } = record;
      const isPending = loadPending(spriteDir) !== null;
      return [{ sprite, dir: inside, pushedAt, fileCount: entries.size, head, isPending }];
    });
}
