/**
 * Finishes or removes what is half-made or expired, and says why. A thing is removed only when its doer is
 * dead and what is left of it is of no use to anybody; what can't be told is kept.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GcItem } from '../../contract/schemas.ts';
import { errnoOf, toWreckitError } from '../../errors.ts';
import type { GcReport } from '../engine.ts';
import { unpackedImages } from './images.ts';
import { lockHolder } from './lock.ts';
import type { SpriteRecord } from './record.ts';
import { deleteContainer } from './runtime.ts';
import { deleteTree, type SpriteStore } from './store.ts';

export interface GcOptions {
  readonly store: SpriteStore;
  readonly dryRun: boolean;
  /** Kills a sprite, under its lock. */
  readonly remove: (name: string) => Promise<void>;
  /** Takes a sprite whose boot was interrupted down to `cold`, under its lock. */
  readonly settle: (name: string) => Promise<void>;
  readonly runtime: () => Promise<string>;
}

interface Finding extends GcItem {
  /** Absent: kept. */
  readonly mend?: () => Promise<void>;
}

export async function collectGarbage(options: GcOptions): Promise<GcReport> {
  // In this order: a container that is there already has its record written before it.
  const containers = entriesOf(options.store.runtimeRoot);
  const records = readRecords(options.store);
  const findings = [
    ...[...records].map(([name, record]) => judgeSprite(name, record, options)),
    ...leftContainers(containers, records, options),
    ...options.store.trashed().map((path) => trash(path)),
    ...unusedImages(options.store, records),
  ].filter((finding) => finding !== null);
  const removed: GcItem[] = [];
  const kept: GcItem[] = [];
  for (const { mend, ...item } of findings) {
    if (mend === undefined) {
      kept.push(item);
      continue;
    }
    try {
      if (!options.dryRun) await mend();
      removed.push(item);
    } catch (error) {
      kept.push({ ...item, reason: `${item.reason}; removing it failed: ${toWreckitError(error).message}` });
    }
  }
  return { removed, kept };
}

type Records = ReadonlyMap<string, SpriteRecord | null>;

/** null: the record can't be read. */
function readRecords(store: SpriteStore): Records {
  const records = new Map<string, SpriteRecord | null>();
  for (const name of store.names()) {
    try {
      const record = store.find(name);
      if (record !== null) records.set(name, record);
    } catch {
      records.set(name, null);
    }
  }
  return records;
}

function judgeSprite(
  name: string,
  record: SpriteRecord | null,
  { store, remove, settle }: GcOptions,
): Finding | null {
  const item = (reason: string, mend?: () => Promise<void>): Finding => ({
    kind: 'sprite',
    name,
    reason,
    ...(mend === undefined ? {} : { mend }),
  });
  if (record === null)
    return item(`its record can't be read: look at ${store.dirsOf(name).dir}, then kill it by name`);
  if (lockHolder(store.lockFile(name)) !== null) return item('a command is changing it now');
  if (record.expires_at !== null && Date.parse(record.expires_at) <= Date.now()) {
    return item(`it expired at ${record.expires_at}`, () => remove(name));
  }
  switch (record.phase) {
    case 'creating':
      return item('its creation was interrupted; nothing has run in it', () => remove(name));
    case 'removing':
      return item('its removal was interrupted', () => remove(name));
    case 'booting':
      return {
        ...item('its boot was interrupted: its processes are ended, its disk is kept'),
        mend: () => settle(name),
      };
    case 'stopping':
      return {
        ...item('its stop was interrupted: its processes are ended, its disk is kept'),
        mend: () => settle(name),
      };
    case 'ready':
      return null;
  }
}

/** Containers that no record names: their sprite's directory is gone. */
function leftContainers(ids: readonly string[], records: Records, { store, runtime }: GcOptions): Finding[] {
  const known = new Set([...records.values()].map((record) => `wisp-${record?.id}`));
  const isUnsure = [...records.values()].includes(null);
  return ids
    .filter((id) => id.startsWith('wisp-') && !known.has(id))
    .map((id) => {
      const item = { kind: 'container', name: id, reason: 'no sprite has it' };
      if (isUnsure) return { ...item, reason: 'it may belong to a sprite whose record cannot be read' };
      return {
        ...item,
        mend: async () => deleteContainer({ runtime: await runtime(), root: store.runtimeRoot, id }),
      };
    });
}

function trash(path: string): Finding {
  const name = path.split('/').at(-1) ?? path;
  return {
    kind: 'trash',
    name,
    reason: 'a removed sprite was not deleted to the end',
    mend: () => deleteTree(path),
  };
}

/** An image is unpacked before the record that names it is written. */
const IMAGE_GRACE_MS = 10 * 60_000;

function unusedImages(store: SpriteStore, records: Records): Finding[] {
  const used = new Set([...records.values()].map((record) => record?.image_dir));
  if ([...records.values()].includes(null)) return [];
  return unpackedImages(store.dirs)
    .map((name) => ({ name, path: join(store.dirs.images, name) }))
    .filter(({ path }) => !used.has(path) && ageMs(path) > IMAGE_GRACE_MS)
    .map(({ name, path }) => ({
      kind: 'image',
      name,
      reason: 'no sprite uses this unpacked image',
      mend: async () => rmSync(path, { recursive: true, force: true }),
    }));
}

function ageMs(path: string): number {
  const changedAt = statSync(path, { throwIfNoEntry: false })?.ctimeMs;
  return changedAt === undefined ? 0 : Date.now() - changedAt;
}

function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
