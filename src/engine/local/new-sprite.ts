/** The parts of making a sprite: its directory, its first network rules, its disk. The caller holds its lock. */
import { WreckitError } from '../../errors.ts';
import type { StartSpec, Waiting } from '../engine.ts';
import type { NetworkRule } from '../policy.ts';
import type { HoldSprite } from './checkpoints.ts';
import { layoutOf } from './container.ts';
import { type CopySource, fillFromSource } from './copy-source.ts';
import { readRules } from './egress/policy-file.ts';
import type { SpriteRecord } from './record.ts';
import { makeBootDirs, makeRootfs, renewIdentity } from './rootfs.ts';
import { copyServices } from './services/sprite-life.ts';
import type { SpriteDirs } from './sprite-dirs.ts';
import { rulesOf } from './start-spec.ts';
import type { SpriteStore } from './store.ts';

/** Its directory, with the record in it. Throws `SPRITE_LIMIT`. */
export async function reserveDirs(
  store: SpriteStore,
  record: SpriteRecord,
  { maxSprites }: StartSpec,
  waiting: Waiting,
): Promise<SpriteDirs> {
  if (maxSprites === undefined) return store.prepare(record);
  using _lock = await store.lockCount(waiting);
  const count = store.names().length;
  if (count < maxSprites) return store.prepare(record);
  const have = count === 1 ? 'there is 1 sprite' : `there are ${count} sprites`;
  throw new WreckitError(
    'SPRITE_LIMIT',
    `start sprite "${record.name}": ${have}, at most ${maxSprites} are allowed`,
    { details: { max_sprites: maxSprites, sprites: count } },
  );
}

/** A copy may reach what its source may, unless a list says otherwise. */
export function firstRules(
  store: SpriteStore,
  asked: StartSpec,
  source: CopySource | null,
): readonly NetworkRule[] {
  const isInherited = source?.record.network === 'filtered' && asked.allow === undefined;
  return isInherited ? readRules(store.dirsOf(source.record.name).dir) : rulesOf(asked);
}

export async function makeDisk(
  store: SpriteStore,
  record: SpriteRecord,
  source: CopySource | null,
  { hold, ...waiting }: { hold: HoldSprite } & Waiting,
): Promise<void> {
  const dirs = store.dirsOf(record.name);
  const layout = layoutOf(record.image_dir);
  makeBootDirs(dirs);
  if (source === null) {
    makeRootfs(dirs, record, layout);
    return;
  }
  await fillFromSource(source, dirs, { hold, ...waiting });
  renewIdentity(dirs, record, layout);
  await copyServices(store.dirsOf(source.record.name).dir, dirs.dir);
}
