/** One agent at a time in a sprite that several may be sent to: what one does would come back as the other's work. */
import path from 'node:path';
import { openSyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';

/** Dispose it to let go. Throws `SPRITE_BUSY` at once while another process of this project holds it. */
export async function holdSprite(root: string, sprite: string, signal?: AbortSignal): Promise<Disposable> {
  const file = path.join(spriteDirOf(openSyncDir(root), sprite), 'run.lock');
  return await holdLock(file, {
    what: `sprite "${sprite}"`,
    doing: 'runs an agent in it',
    hint: 'wait for that run (wreckit runs list), or let this one have a sprite of its own',
    waitMs: 0,
    signal,
  });
}
