/**
 * Checkpoints of local sprites: copies of what the sprite wrote (`disk/rootfs`, `disk/upper`), shared with the
 * original block by block where the file system can (reflinks). The base below is never copied.
 *
 *   checkpoints/<id>/         rootfs/, upper/, checkpoint.json (written last: without it there is no checkpoint)
 *   restore: copy → disk.new   backup: disk → checkpoints/pre-restore-…   then disk.new → disk
 *
 * A restore that dies leaves either the old disk or the new one; see `settleRestore`.
 */
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, numberOr } from '../../contract/json-value.ts';
import { quote } from '../../contract/names.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import type { Checkpoint, CheckpointOps, Waiting } from '../engine.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';
import { frozenCopy } from './frozen-copy.ts';
import type { RunningSprite } from './inside.ts';
import type { Freezer } from './sleep/freezer.ts';
import type { SpriteDirs } from './sprite-dirs.ts';
import { deleteTree } from './store.ts';

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const COPIED = ['rootfs', 'upper'] as const;

/** A sprite whose lock is held for as long as `use` runs. */
export interface HeldSprite {
  readonly dirs: SpriteDirs;
  readonly running: RunningSprite | null;
  /** Null: it is down, or the machine has none for it. */
  readonly freezer: Freezer | null;
  /** It sleeps, and goes on sleeping. */
  readonly isFrozen: boolean;
  /** Takes the sprite's processes down. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
  /** Bytes the directory takes on disk. */
  readonly measure: (dir: string) => Promise<number>;
}

export type HoldSprite = <T>(
  name: string,
  waiting: Waiting,
  use: (sprite: HeldSprite) => Promise<T>,
) => Promise<T>;

export class LocalCheckpoints implements CheckpointOps {
  readonly #hold: HoldSprite;
  readonly #dirsOf: (name: string) => SpriteDirs;

  /** `dirsOf` throws `SPRITE_NOT_FOUND`. */
  constructor(hold: HoldSprite, dirsOf: (name: string) => SpriteDirs) {
    this.#hold = hold;
    this.#dirsOf = dirsOf;
  }

  create(
    name: string,
    { comment, signal }: { comment?: string | undefined } & Waiting = {},
  ): Promise<Checkpoint> {
    return this.#hold(name, { signal }, async (sprite) => {
      await sweep(sprite.dirs);
      const all = readAll(sprite.dirs);
      return await save(sprite, { id: nextId(sprite.dirs, all), comment: comment ?? null, isAuto: false });
    });
  }

  async list(name: string): Promise<Checkpoint[]> {
    return readAll(this.#dirsOf(name));
  }

  async get(name: string, checkpointId: string): Promise<Checkpoint> {
    return find(this.#dirsOf(name), checkpointId);
  }

  restore(
    name: string,
    checkpointId: string,
    waiting: Waiting = {},
  ): Promise<{ restored: Checkpoint; backup: Checkpoint }> {
    return this.#hold(name, waiting, async (sprite) => {
      const { dirs } = sprite;
      const restored = find(dirs, checkpointId);
      const fresh = `${dirs.disk}.new`;
      await deleteTree(fresh);
      const backup = await exchange(sprite, restored.id, fresh);
      writeJsonFile(join(dirs.dir, 'restored.json'), { id: restored.id });
      await sprite.up();
      return { restored, backup };
    });
  }

  remove(name: string, checkpointId: string, waiting: Waiting = {}): Promise<void> {
    return this.#hold(name, waiting, async ({ dirs }) => {
      const { id } = find(dirs, checkpointId);
      await sweep(dirs);
      const grave = join(dirs.dir, 'checkpoints', `.${id}.deleted`);
      if (numberOf(id) > lastRemoved(dirs)) writeJsonFile(lastRemovedFile(dirs), { number: numberOf(id) });
      renameSync(checkpointDir(dirs, id), grave);
      await deleteTree(grave);
    });
  }
}

/** Copies a sprite's disk, or a checkpoint, as the disk of another sprite. */
export async function copyDisk(
  sprite: Pick<HeldSprite, 'running' | 'freezer' | 'isFrozen'>,
  from: string,
  to: string,
  waiting: Waiting = {},
): Promise<void> {
  mkdirSync(to, { recursive: true, mode: 0o755 });
  await frozenCopy({ ...sprite, ...waiting, sources: COPIED.map((part) => join(from, part)), target: to });
  // overlayfs wants a work directory of its own beside each upper.
  for (const key of readdirSync(join(to, 'upper')))
    mkdirSync(join(to, 'work', key), { recursive: true, mode: 0o700 });
}

/** Finishes or undoes a restore that was interrupted between its two renames. The caller holds the lock. */
export function settleRestore(dirs: SpriteDirs): void {
  if (existsSync(dirs.disk)) return;
  const fresh = `${dirs.disk}.new`;
  if (existsSync(fresh)) renameSync(fresh, dirs.disk);
}

/** The directory of a checkpoint. Throws `CHECKPOINT_NOT_FOUND`. */
export function existingCheckpointDir(dirs: SpriteDirs, checkpointId: string): string {
  return checkpointDir(dirs, find(dirs, checkpointId).id);
}

interface NewCheckpoint {
  readonly id: string;
  readonly comment: string | null;
  readonly isAuto: boolean;
}

async function save(sprite: HeldSprite, checkpoint: NewCheckpoint): Promise<Checkpoint> {
  const dir = checkpointDir(sprite.dirs, checkpoint.id);
  await deleteTree(dir);
  try {
    await copyDisk(sprite, sprite.dirs.disk, dir);
    return await describe(sprite, checkpoint, dir);
  } catch (error) {
    await deleteTree(dir);
    throw error;
  }
}

/**
 * The copy of a checkpoint, made at `fresh`, takes the place of the sprite's disk. What fails until then (a full
 * disk, above all) changes nothing: the copy goes again, and the sprite comes up with the disk it had.
 */
async function exchange(sprite: HeldSprite, restoredId: string, fresh: string): Promise<Checkpoint> {
  const { dirs } = sprite;
  let isDown = false;
  try {
    await copyDisk({ ...sprite, running: null }, checkpointDir(dirs, restoredId), fresh);
    isDown = true;
    await sprite.down();
    const backup = await setAside(sprite, restoredId);
    renameSync(fresh, dirs.disk);
    return backup;
  } catch (error) {
    // Past the first rename the copy is the only disk there is: see settleRestore.
    if (existsSync(dirs.disk)) {
      await deleteTree(fresh);
      if (isDown) await sprite.up();
    }
    throw error;
  }
}

/** The present disk becomes a checkpoint: one rename, no copy. */
async function setAside(sprite: HeldSprite, restoredId: string): Promise<Checkpoint> {
  const { dirs } = sprite;
  const taken = new Set(readdirSync(join(dirs.dir, 'checkpoints')));
  let id = `pre-restore-${restoredId}`;
  for (let count = 2; taken.has(id); count += 1) id = `pre-restore-${restoredId}-${count}`;
  const checkpoint = { id, comment: `before the restore of ${restoredId}`, isAuto: true };
  // Described before it is moved: whatever happens in between, what the user had has a name.
  const backup = await describe(sprite, checkpoint, dirs.disk);
  renameSync(dirs.disk, checkpointDir(dirs, id));
  return backup;
}

async function describe(
  sprite: HeldSprite,
  { id, comment, isAuto }: NewCheckpoint,
  dir: string,
): Promise<Checkpoint> {
  const checkpoint: Checkpoint = {
    id,
    created_at: new Date().toISOString(),
    comment,
    is_auto: isAuto,
    source_id: lastRestored(sprite.dirs),
    size_bytes: await sprite.measure(dir),
  };
  writeJsonFile(join(dir, 'checkpoint.json'), checkpoint);
  return checkpoint;
}

function lastRestored(dirs: SpriteDirs): string | null {
  const path = join(dirs.dir, 'restored.json');
  if (!existsSync(path)) return null;
  const value = readJsonFile(path);
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
    ? value.id
    : null;
}

function checkpointDir(dirs: SpriteDirs, id: string): string {
  return join(dirs.dir, 'checkpoints', id);
}

function find(dirs: SpriteDirs, checkpointId: string): Checkpoint {
  const checkpoint = ID.test(checkpointId) ? readOne(dirs, checkpointId) : null;
  if (checkpoint !== null) return checkpoint;
  throw new WreckitError(
    'CHECKPOINT_NOT_FOUND',
    `checkpoint ${quote(checkpointId)}: this sprite has none of this id`,
  );
}

/** Oldest first. */
function readAll(dirs: SpriteDirs): Checkpoint[] {
  return entriesOf(dirs)
    .filter((name) => ID.test(name))
    .map((name) => readOne(dirs, name))
    .filter((checkpoint) => checkpoint !== null)
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
}

/** What a removal that was interrupted left. The caller holds the lock. */
async function sweep(dirs: SpriteDirs): Promise<void> {
  const graves = entriesOf(dirs).filter((name) => name.startsWith('.'));
  for (const name of graves) await deleteTree(join(dirs.dir, 'checkpoints', name));
}

function entriesOf(dirs: SpriteDirs): string[] {
  try {
    return readdirSync(join(dirs.dir, 'checkpoints'));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return [];
  }
}

/** Null for what is half-made: its description is written last. */
function readOne(dirs: SpriteDirs, id: string): Checkpoint | null {
  const path = join(checkpointDir(dirs, id), 'checkpoint.json');
  if (!existsSync(path)) return null;
  const value = readJsonFile(path) as Partial<Checkpoint> | null;
  const isWhole = typeof value?.created_at === 'string' && typeof value.size_bytes === 'number';
  if (!isWhole || value === null) return null;
  const { created_at = '', comment = null, is_auto = false, source_id = null, size_bytes = 0 } = value;
  return { id, created_at, comment, is_auto, source_id, size_bytes };
}

/** An id is never given again: what somebody noted means that checkpoint or none. */
function nextId(dirs: SpriteDirs, checkpoints: readonly Checkpoint[]): string {
  return `v${Math.max(lastRemoved(dirs), ...checkpoints.map(({ id }) => numberOf(id))) + 1}`;
}

/** 0 for those the engine made by itself. */
function numberOf(id: string): number {
  return Number(/^v(\d{1,9})$/.exec(id)?.[1] ?? 0);
}

function lastRemoved(dirs: SpriteDirs): number {
  const path = lastRemovedFile(dirs);
  const value = existsSync(path) ? readJsonFile(path) : null;
  return isObject(value) ? numberOr(value.number, 0) : 0;
}

function lastRemovedFile(dirs: SpriteDirs): string {
  return join(dirs.dir, 'last-removed-checkpoint.json');
}
