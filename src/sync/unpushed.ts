/** What the next push to a sprite would send, as far as it can be told without asking the sprite. */
import path from 'node:path';
import type { BytePath } from './byte-path.ts';
import { findHostChanges } from './host-changes.ts';
import type { PushPlan } from './push-plan.ts';
import { loadRecord } from './sprite-record.ts';
import { findSyncDir, spriteDirOf } from './sync-dir.ts';

export interface Unpushed {
  readonly send: readonly BytePath[];
  readonly remove: readonly BytePath[];
  /** The sprite has them as they are. */
  readonly sameCount: number;
}

/** Null where nothing was pushed to it from here. Throws `SPRITE_SYNC_FAILED` for a record that is damaged. */
export function findUnpushed(plan: PushPlan, sprite: string, signal?: AbortSignal): Unpushed | null {
  const sync = findSyncDir(path.resolve(plan.root));
  const record = sync === null ? null : loadRecord(spriteDirOf(sync, sprite));
  if (record === null) return null;
  const gitHash = plan.repositories[0]?.repository.objectFormat ?? null;
  const { changed, removed, same } = findHostChanges(plan, record, gitHash, signal);
  return { send: changed.map(({ planned }) => planned.path), remove: removed, sameCount: same.size };
}
