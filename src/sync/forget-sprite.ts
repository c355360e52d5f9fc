/** A sprite that is gone needs no record: nothing can be pulled from it any more. */
import fs from 'node:fs';
import path from 'node:path';
import { findSyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';

/** To be called once it was killed. Landings stay, and can be undone. Throws `SPRITE_BUSY`. */
export async function forgetSprite(root: string, sprite: string, signal?: AbortSignal): Promise<void> {
  const sync = findSyncDir(path.resolve(root));
  if (sync === null) return;
  const dir = spriteDirOf(sync, sprite);
  if (!fs.existsSync(dir)) return;
  using _lock = await holdLock(path.join(dir, 'lock'), { what: `sprite "${sprite}"`, signal });
  fs.rmSync(dir, { recursive: true, force: true });
}
