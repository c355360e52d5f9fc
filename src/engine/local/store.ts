/** The sprites of one state directory, by name. */
import { accessSync, constants, lstatSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assertSpriteName, isSpriteName, quote } from '../../contract/names.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import type { Waiting } from '../engine.ts';
import { writeJsonFile } from '../json-file.ts';
import { acquireLock, type HeldLock } from './lock.ts';
import { readRecord, type SpriteRecord } from './record.ts';
import { type SpriteDirs, spriteDirs } from './sprite-dirs.ts';
import { ensureStateDirs, runDir, type StateDirs, stateFault } from './state-dirs.ts';

/** No sprite's name. */
const STAGING_PREFIX = '.new-';
/** Far more than it takes to write a record. */
const STAGING_MS = 60_000;

export class SpriteStore {
  readonly dirs: StateDirs;

  constructor(dirs: StateDirs) {
    this.dirs = dirs;
  }

  ensure(): void {
    ensureStateDirs(this.dirs);
  }

  /**
   * `--root` of the OCI runtime. Beside the sprites and nowhere else: a directory that depends on who asks, and from
   * where (XDG_RUNTIME_DIR is not set for cron, or under sudo), would hide running sprites from them.
   */
  get runtimeRoot(): string {
    return join(runDir(this.dirs), 'oci');
  }

  names(): string[] {
    try {
      return entriesOf(this.dirs.sprites).filter(isSpriteName).sort();
    } catch (error) {
      throw stateFault(this.dirs, error);
    }
  }

  dirsOf(name: string): SpriteDirs {
    return spriteDirs(join(this.dirs.sprites, name));
  }

  /** Throws `SPRITE_NAME_INVALID`: whatever changes a sprite takes its lock first, so that no name leads elsewhere. */
  lockFile(name: string): string {
    return join(this.dirs.locks, `${assertSpriteName(name)}.lock`);
  }

  lock(name: string, waiting: Waiting & { waitMs?: number } = {}): Promise<HeldLock> {
    return acquireLock(this.lockFile(name), { what: `sprite "${name}"`, ...waiting });
  }

  has(name: string): boolean {
    return statSync(join(this.dirs.sprites, name), { throwIfNoEntry: false }) !== undefined;
  }

  /** Held by who counts the sprites and makes one that the count allows. No sprite has such a name. */
  lockCount(waiting: Waiting = {}): Promise<HeldLock> {
    return acquireLock(join(this.dirs.locks, '.count.lock'), { what: 'the number of sprites', ...waiting });
  }

  /** Throws `SPRITE_NOT_FOUND`, or `INTERNAL` for a record that can't be read. */
  read(name: string): SpriteRecord {
    const record = this.find(name);
    if (record !== null) return record;
    throw new WreckitError('SPRITE_NOT_FOUND', `sprite ${quote(name)}: no such sprite`);
  }

  find(name: string): SpriteRecord | null {
    if (!isSpriteName(name)) return null;
    for (let isSecondLook = false; ; isSecondLook = true) {
      try {
        return readRecord(this.#recordFile(name));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw this.#unreadable(name, error);
        if (!this.has(name)) return null;
        // It may have appeared just now, and then its record is in it.
        if (isSecondLook) throw this.#unreadable(name, error);
      }
    }
  }

  /** The record first, then what it names: the directory appears with the record in it. */
  prepare(record: SpriteRecord): SpriteDirs {
    const dirs = this.dirsOf(record.name);
    const staging = join(this.dirs.sprites, `${STAGING_PREFIX}${record.id}`);
    mkdirSync(staging, { mode: 0o700 });
    writeJsonFile(join(staging, 'record.json'), record);
    renameSync(staging, dirs.dir);
    return dirs;
  }

  write(record: SpriteRecord): SpriteRecord {
    writeJsonFile(this.#recordFile(record.name), record);
    return record;
  }

  /** Moves everything of a sprite out of the way in one step, then deletes it. The caller holds the lock. */
  async remove(name: string, id: string): Promise<void> {
    const grave = join(this.dirs.trash, `${id || name}-${Math.random().toString(36).slice(2, 10)}`);
    renameSync(join(this.dirs.sprites, name), grave);
    await deleteTree(grave);
  }

  /** What a removal, or the very first step of a start, left behind when it was interrupted. */
  trashed(): string[] {
    const staged = entriesOf(this.dirs.sprites)
      .filter((entry) => entry.startsWith(STAGING_PREFIX))
      .map((entry) => join(this.dirs.sprites, entry))
      .filter((path) => Date.now() - (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) > STAGING_MS);
    return [...entriesOf(this.dirs.trash).map((entry) => join(this.dirs.trash, entry)), ...staged];
  }

  /** Of one sprite, unless it is the whole state directory that can't be entered. */
  #unreadable(name: string, cause: unknown): unknown {
    try {
      accessSync(this.dirs.sprites, constants.X_OK);
    } catch (error) {
      return stateFault(this.dirs, error);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new WreckitError('INTERNAL', `sprite ${quote(name)}: its record cannot be read: ${reason}`, {
      hint: `look at ${this.dirsOf(name).dir}, or remove the sprite: wreckit sprite kill ${name}`,
      cause,
    });
  }

  #recordFile(name: string): string {
    return join(this.dirs.sprites, name, 'record.json');
  }
}

/** Of a directory that may not have been made yet. */
function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Links are unlinked, never followed. Nothing there: nothing to do. */
export async function deleteTree(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  if (process.getuid?.() !== 0) await openUp(path);
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Without root, directories that the sprite (or overlayfs: its work directories) closed must be opened first. */
async function openUp(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(join(path, entry.name));
  }
}
