/**
 * The project into a sprite.
 *
 *   plan (what may leave) ─▶ compare with the record of the last push ─▶ nothing to do: one look at the mark
 *     │                                                                  in the sprite, and done
 *     ├─ look at the sprite (find, sha256sum): its own work is never overwritten without `force`
 *     ├─ remove there what is gone here
 *     └─ one tar stream: changed files · repository · the mark, last ─▶ record
 *
 * Before anything is sent `pending.json` names it: a push that is cut off is finished by the next one.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { decodeUtf8 } from '../process/text.ts';
import type { EntryState } from './entry-state.ts';
import {
  type ChangedEntry,
  fileStateOf,
  findHostChanges,
  type HostChanges,
  isTrusted,
} from './host-changes.ts';
import { recoverLandings } from './land-apply.ts';
import { loadPending } from './pending-push.ts';
import { decidePush, type PushDecision, pushConflictError } from './push-conflicts.ts';
import {
  type KeptBack,
  type PushPlan,
  type PushPlanOptions,
  planPush,
  projectDirectory,
  type StatKey,
} from './push-plan.ts';
import { type PushContext, type SentPush, sendPush } from './push-send.ts';
import { hashFile } from './read-content.ts';
import type { SpritePort } from './sprite-port.ts';
import { type LoadedRecord, loadRecord, type SpriteRecord, saveRecord } from './sprite-record.ts';
import { type SpriteScan, scanSprite, TOKEN_PATH } from './sprite-scan.ts';
import { spriteStates } from './sprite-states.ts';
import { prefetchStats } from './stat-prefetch.ts';
import { newId, openSyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';
import type { OnSyncProgress } from './sync-progress.ts';

export interface PushOptions extends PushPlanOptions {
  readonly port: SpritePort;
  /** A plan made with the same options; made here when absent. */
  readonly plan?: PushPlan | undefined;
  /** Commits the sprite's repository gets, newest first; 50 when absent, null for all. */
  readonly historyDepth?: number | null | undefined;
  /** The sprite was made just now and has nothing in it: it need not be looked at. */
  readonly isFresh?: boolean | undefined;
  /** Overwrite what was changed in the sprite. */
  readonly force?: boolean | undefined;
  readonly onProgress?: OnSyncProgress | undefined;
}

export interface PushResult {
  readonly sprite: string;
  /** Directory inside the sprite. */
  readonly dir: string;
  /** Files and links of the project that the sprite has now. */
  readonly fileCount: number;
  readonly sentCount: number;
  readonly sentBytes: number;
  readonly removedCount: number;
  readonly keptBack: readonly KeptBack[];
  /** Null: no repository, or the sprite has it already. */
  readonly history: { readonly commitCount: number; readonly withheldCount: number } | null;
  /** Commit the project was at; null outside git and on an unborn branch. */
  readonly head: string | null;
  readonly warnings: readonly string[];
}

const DEFAULT_HISTORY_DEPTH = 50;
const NOTHING_SENT: SentPush = {
  fileCount: 0,
  sentCount: 0,
  sentBytes: 0,
  removedCount: 0,
  history: null,
  warnings: [],
};
const EMPTY_SPRITE: SpriteScan = {
  isMissing: true,
  token: null,
  head: null,
  entries: new Map(),
  unreadable: [],
};

/**
 * Throws `SPRITE_SYNC_FAILED` (nothing readable to send, sprite or git failed), `CONFLICT` (the sprite has work
 * of its own at the same paths), `SPRITE_BUSY` (another command syncs this sprite), `CONFIG_INVALID` (patterns).
 */
export async function pushProject(options: PushOptions): Promise<PushResult> {
  await recoverLandings(options.root, { signal: options.signal });
  const root = rootOf(options);
  const spriteDir = spriteDirOf(openSyncDir(root), options.port.name);
  const what = `sprite "${options.port.name}"`;
  using _lock = await holdLock(path.join(spriteDir, 'lock'), { what, signal: options.signal });
  const record = usableRecord(spriteDir, options);
  const plan = options.plan ?? (await planWithStats(root, record, options));
  const context = contextOf(plan, spriteDir, options);
  if (record !== null && isUntouched(context, record) && (await hasMark(context, record))) {
    return resultOf(context, { ...NOTHING_SENT, fileCount: plan.entries.length });
  }
  const changes = findHostChanges(plan, record, context.gitHash, options.signal);
  if (record !== null && isNothingToSend(context, record, changes) && (await hasMark(context, record))) {
    saveRecord(spriteDir, { ...record, hashedAtMs: context.hashedAtMs, entries: changes.same });
    return resultOf(context, { ...NOTHING_SENT, fileCount: changes.same.size });
  }
  const isEmpty = record === null && options.isFresh === true;
  const scan = isEmpty ? EMPTY_SPRITE : await scanSprite(context.port, { signal: options.signal });
  const pending = loadPending(spriteDir);
  const pendingPaths = new Set(pending?.paths);
  // With the mark of a push that is not on record, or with nothing in it, it is not the tree the record describes.
  const isOther = scan.token !== null && scan.token !== record?.token && scan.token !== pending?.token;
  const known = isOther || scan.entries.size === 0 ? null : record;
  const all = known === record ? changes : findHostChanges(plan, null, context.gitHash, options.signal);
  const decision = await decide(context, known, all, scan, pendingPaths);
  if (decision.conflicts.length > 0 && options.force !== true) {
    throw pushConflictError(context.port.name, decision.conflicts);
  }
  return resultOf(context, await sendPush(context, { record: known, changes: all, scan, decision }));
}

function contextOf(plan: PushPlan, spriteDir: string, options: PushOptions): PushContext {
  const { port, signal, onProgress, historyDepth, include, exclude } = options;
  return {
    plan,
    spriteDir,
    port,
    signal,
    onProgress,
    include: include ?? [],
    exclude: exclude ?? [],
    historyDepth: historyDepth === undefined ? DEFAULT_HISTORY_DEPTH : historyDepth,
    gitHash: plan.repositories[0]?.repository.objectFormat ?? null,
    hashedAtMs: Date.now(),
    token: `${newId()}-${randomBytes(4).toString('hex')}`,
  };
}

/** Before anything of the project is written: state is kept in it. */
function rootOf({ plan, root }: PushOptions): string {
  return plan?.root ?? projectDirectory(root);
}

async function planWithStats(
  root: string,
  record: LoadedRecord | null,
  options: PushOptions,
): Promise<PushPlan> {
  const stats = record === null ? undefined : prefetchStats(root, record.columns.paths);
  return await planPush({ ...options, root, stats });
}

/** A sprite made anew under the same name has nothing of what is recorded. */
function usableRecord(spriteDir: string, { port, isFresh }: PushOptions): LoadedRecord | null {
  if (isFresh === true) return null;
  const record = loadRecord(spriteDir);
  if (record === null || record.dir !== port.dir) return null;
  return record.spriteId !== null && port.id !== null && record.spriteId !== port.id ? null : record;
}

/** By stat alone: nothing has to be read to know that nothing is to be sent. */
function isUntouched(context: PushContext, record: LoadedRecord): boolean {
  const isSame = (before: StatKey, now: StatKey): boolean => isTrusted(before, now, record.hashedAtMs);
  return isSameRequest(context, record) && record.columns.isSame(context.plan.entries, isSame);
}

function isNothingToSend(
  context: PushContext,
  record: SpriteRecord,
  { changed, removed }: HostChanges,
): boolean {
  return changed.length === 0 && removed.length === 0 && isSameRequest(context, record);
}

/** The same repositories at the same commits, and the same wishes. */
function isSameRequest({ plan, historyDepth, include, exclude }: PushContext, record: SpriteRecord): boolean {
  if (record.historyDepth !== historyDepth || plan.repositories.length !== record.repositories.length)
    return false;
  if (!isSameList(record.include, include) || !isSameList(record.exclude, exclude)) return false;
  return plan.repositories.every(({ at, repository: { head, headRef } }) =>
    record.repositories.some((known) => known.at === at && known.head === head && known.headRef === headRef),
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

async function hasMark({ port, signal }: PushContext, record: SpriteRecord): Promise<boolean> {
  const done = await port.exec(['cat', TOKEN_PATH], { signal });
  return done.exitCode === 0 && decodeUtf8(done.stdout).trim() === record.token;
}

async function decide(
  context: PushContext,
  record: SpriteRecord | null,
  changes: HostChanges,
  scan: SpriteScan,
  pending: ReadonlySet<string>,
): Promise<PushDecision> {
  if (scan.entries.size === 0) {
    const send = new Set(changes.changed.map(({ planned }) => planned.path));
    return { send, present: new Set(), remove: [], conflicts: [] };
  }
  const wanted = new Map<string, EntryState>();
  for (const entry of changes.changed) {
    const state = stateOf(context, entry);
    if (state !== null) wanted.set(entry.planned.path, state);
  }
  const states = await spriteStates(context.port, {
    scan,
    record,
    paths: [...wanted.keys(), ...changes.removed],
    other: (name) => wanted.get(name),
    signal: context.signal,
  });
  return decidePush({ scan, states, record, wanted, removed: changes.removed, pending });
}

/** Null: the file is gone by now. */
function stateOf(
  { plan, gitHash, signal }: PushContext,
  { planned, hashes }: ChangedEntry,
): EntryState | null {
  if (planned.kind === 'symlink') return { kind: 'symlink', target: planned.target };
  signal?.throwIfAborted();
  const known = hashes ?? hashFile(plan.root, planned.path, gitHash);
  return known === null ? null : fileStateOf(planned, known);
}

function resultOf({ plan, port }: PushContext, sent: SentPush): PushResult {
  return {
    ...sent,
    sprite: port.name,
    dir: port.dir,
    keptBack: plan.keptBack,
    head: plan.repositories.find(({ at }) => at === '')?.repository.head ?? null,
    warnings: [...plan.warnings, ...sent.warnings],
  };
}
