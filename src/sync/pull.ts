/**
 * Changes out of a sprite, into a change set; nothing of the project is touched.
 *
 *   scan ─▶ compare with the record ─▶ hash inside what may have changed ─▶ leave out what git ignores
 *        ─▶ verify every name, type, link and size ─▶ fetch content in one tar stream ─▶ changes.json
 *
 * The record was written here at push time and is the only thing believed. What the sprite says about itself is
 * taken as a claim: names and links are verified, content is hashed again as it arrives.
 */
import fs from 'node:fs';
import path from 'node:path';
import { formatBytes } from '../contract/units.ts';
import { errorOf } from '../errors.ts';
import { type BytePath, comparePaths } from './byte-path.ts';
import { findCaseClashes } from './case-clash.ts';
import { ChangeKeeper } from './change-keeper.ts';
import { type Change, type ChangeSet, type Rejection, saveChangeSet } from './change-set.ts';
import type { ProjectRepository } from './file-selection.ts';
import { findRepository } from './git-repository.ts';
import { hostLinkAt } from './host-state.ts';
import { findIgnored, isRuleFile } from './ignored-paths.ts';
import { recoverLandings } from './land-apply.ts';
import { linkFault } from './link-safety.ts';
import { compilePatterns } from './patterns.ts';
import { findSpriteChanges, type SpriteChange } from './sprite-changes.ts';
import { asStagingError, type Fetched, fetchFiles } from './sprite-fetch.ts';
import type { SpritePort } from './sprite-port.ts';
import { loadRecord, type SpriteRecord } from './sprite-record.ts';
import { type SpriteScan, scanSprite } from './sprite-scan.ts';
import { newId, openSyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';
import type { OnSyncProgress } from './sync-progress.ts';

export interface PullLimits {
  /** Of one file; 4 GiB when absent. A bigger one is left in the sprite. */
  readonly maxFileBytes?: number | undefined;
  /** Of all together; 16 GiB when absent. */
  readonly maxTotalBytes?: number | undefined;
  /** Changed and new files; 100,000 when absent. */
  readonly maxFiles?: number | undefined;
}

export interface PullOptions {
  readonly root: string;
  readonly port: SpritePort;
  /** Where the change set goes; a new directory below `.wreckit/sync/pulls` when absent. On the project's disk. */
  readonly dir?: string | undefined;
  readonly limits?: PullLimits | undefined;
  readonly onProgress?: OnSyncProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MAX_ATTEMPTS = 3;
const KEPT_PULLS = 10;
const MAX_RULE_BYTES = 1024 * 1024;
const MAX_RULE_FILES = 1000;
const DEFAULT_LIMITS = { maxFileBytes: 4 * 1024 ** 3, maxTotalBytes: 16 * 1024 ** 3, maxFiles: 100_000 };

/**
 * Throws `SPRITE_SYNC_FAILED` (nothing was pushed, a limit of the whole, no space, the sprite failed),
 * `CONFLICT` (the sprite holds another push than the one on record), `SPRITE_BUSY`.
 */
export async function pullChanges(options: PullOptions): Promise<ChangeSet> {
  const { port, signal } = options;
  const root = path.resolve(options.root);
  await recoverLandings(root, { signal });
  const sync = openSyncDir(root);
  const spriteDir = spriteDirOf(sync, port.name);
  using _lock = await holdLock(path.join(spriteDir, 'lock'), { what: `sprite "${port.name}"`, signal });
  const record = loadRecord(spriteDir);
  if (record === null) {
    throw errorOf(
      'SPRITE_SYNC_FAILED',
      `pull from sprite "${port.name}": nothing was pushed to it from here`,
      {
        hint: `push the project first: wreckit sync push ${port.name}`,
      },
    );
  }
  const id = newId();
  const dir = options.dir ?? path.join(sync.path, 'pulls', id);
  if (options.dir === undefined) prunePulls(path.join(sync.path, 'pulls'));
  try {
    fs.mkdirSync(path.join(dir, 'blobs'), { recursive: true });
    const changeSet = await new Pull({ options, root, spriteDir, record, id, dir }).run();
    saveChangeSet(changeSet);
    return changeSet;
  } catch (thrown) {
    removeParts(dir, options.dir === undefined);
    throw asStagingError(thrown);
  }
}

/** The newest few are kept: they can be landed again. */
function prunePulls(dir: string): void {
  if (!fs.existsSync(dir)) return;
  const old = fs
    .readdirSync(dir)
    .sort()
    .slice(0, -(KEPT_PULLS - 1));
  for (const id of old) fs.rmSync(path.join(dir, id), { recursive: true, force: true });
}

/** A directory of the caller's may hold more than the change set. */
function removeParts(dir: string, isOwn: boolean): void {
  const parts = isOwn ? [dir] : [path.join(dir, 'blobs'), path.join(dir, 'work')];
  for (const part of parts) fs.rmSync(part, { recursive: true, force: true });
}

interface PullContext {
  readonly options: PullOptions;
  readonly root: string;
  readonly spriteDir: string;
  readonly record: SpriteRecord;
  readonly id: string;
  readonly dir: string;
}

interface Attempt {
  readonly scan: SpriteScan;
  readonly changes: readonly SpriteChange[];
  readonly rejected: readonly Rejection[];
  readonly ignoredCount: number;
  readonly fetched: Fetched;
}

class Pull {
  readonly #context: PullContext;
  readonly #limits: Required<{ [K in keyof PullLimits]: number }>;

  constructor(context: PullContext) {
    const { maxFileBytes, maxTotalBytes, maxFiles } = context.options.limits ?? {};
    this.#context = context;
    this.#limits = {
      maxFileBytes: maxFileBytes ?? DEFAULT_LIMITS.maxFileBytes,
      maxTotalBytes: maxTotalBytes ?? DEFAULT_LIMITS.maxTotalBytes,
      maxFiles: maxFiles ?? DEFAULT_LIMITS.maxFiles,
    };
  }

  /** Files that are written while they are read are read again, from the scan on. */
  async run(): Promise<ChangeSet> {
    const repositories = await this.#repositories();
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#attempt(repositories);
      if (result.fetched.isWhole || attempt === MAX_ATTEMPTS) return this.#changeSetOf(result);
      this.#emptyDir('blobs');
    }
  }

  async #attempt(repositories: readonly ProjectRepository[]): Promise<Attempt> {
    const { record, options } = this.#context;
    const { port, signal } = options;
    const scan = this.#usable(await scanSprite(port, { signal }));
    const found = await findSpriteChanges(port, record, scan, signal);
    const rejected = [...found.rejected];
    const ignored = await this.#ignored(repositories, scan, found.added, found.changes);
    const changes = [...found.changes, ...this.#added(scan, found.added, ignored, rejected)];
    const accepted = this.#withinLimits(this.#safeLinks(changes, scan, rejected), rejected);
    const fetched = await this.#fetch(accepted);
    const ignoredCount = ignored.size + found.excludedCount;
    return { scan, changes: accepted, rejected, ignoredCount, fetched };
  }

  #usable(scan: SpriteScan): SpriteScan {
    const { record, options } = this.#context;
    const { name, dir } = options.port;
    if (scan.isMissing) {
      throw errorOf('SPRITE_SYNC_FAILED', `pull from sprite "${name}": its directory "${dir}" is gone`, {
        hint: `see what is there: wisp fs ls ${name} ${path.posix.dirname(dir)}`,
      });
    }
    if (scan.token !== null && scan.token !== record.token) {
      throw errorOf(
        'CONFLICT',
        `pull from sprite "${name}": it holds another push than the last one from here`,
        {
          hint: `it was restored, or pushed to from elsewhere; push again: wreckit sync push ${name}`,
        },
      );
    }
    return scan;
  }

  /** The repositories as they are here now: their rules say what is ignored. */
  async #repositories(): Promise<ProjectRepository[]> {
    const { record, root, options } = this.#context;
    const found: ProjectRepository[] = [];
    for (const { at } of record.repositories) {
      const dir = at === '' ? root : path.join(root, Buffer.from(at, 'latin1').toString('utf8'));
      if (!fs.existsSync(dir)) continue;
      const answer = await findRepository(dir, options.signal);
      if (answer.kind === 'repository') found.push({ at, repository: answer.repository });
    }
    return found;
  }

  async #ignored(
    repositories: readonly ProjectRepository[],
    scan: SpriteScan,
    added: readonly BytePath[],
    changes: readonly SpriteChange[],
  ): Promise<ReadonlySet<BytePath>> {
    const { root, record, options } = this.#context;
    const workDir = this.#emptyDir('work');
    const included = compilePatterns(record.include);
    const paths = added.filter((name) => included.match(name) === null);
    const changed = new Set(changes.map(({ path: name }) => name));
    const rules = new Map<BytePath, Buffer | null>();
    for (const [name, entry] of scan.entries) {
      const isKept =
        entry.kind === 'file' && isRuleFile(name) && record.entries.has(name) && !changed.has(name);
      if (isKept) rules.set(name, null);
    }
    const ask = (names: readonly BytePath[]): Promise<ReadonlySet<BytePath>> =>
      findIgnored({ workDir, root, repositories, rules, paths: names, signal: options.signal });
    const changedRules = await this.#fetchRules([...changed].filter(isRuleFile), scan, workDir, 'c');
    for (const [name, content] of changedRules) rules.set(name, content);
    const addedRules = paths.filter(isRuleFile);
    if (addedRules.length > 0) {
      // Those that came with an ignored directory (a virtual environment, say) have no say outside it.
      const ignoredRules = await ask(addedRules);
      const own = addedRules.filter((name) => !ignoredRules.has(name));
      for (const [name, content] of await this.#fetchRules(own, scan, workDir, 'n')) rules.set(name, content);
    }
    return paths.length === 0 ? new Set() : await ask(paths);
  }

  async #fetchRules(
    names: readonly BytePath[],
    scan: SpriteScan,
    workDir: string,
    prefix: string,
  ): Promise<Map<BytePath, Buffer>> {
    const wanted = names.filter((name) => {
      const entry = scan.entries.get(name);
      return entry?.kind === 'file' && entry.sizeBytes <= MAX_RULE_BYTES;
    });
    const { port, signal } = this.#context.options;
    const fetched = await fetchFiles(port, wanted.slice(0, MAX_RULE_FILES), {
      dir: workDir,
      prefix,
      gitHash: null,
      maxFileBytes: 2 * MAX_RULE_BYTES,
      maxTotalBytes: MAX_RULE_FILES * MAX_RULE_BYTES,
      signal,
    });
    return new Map(
      [...fetched.files].map(([name, { blob }]) => [name, fs.readFileSync(path.join(workDir, blob))]),
    );
  }

  #added(
    scan: SpriteScan,
    added: readonly BytePath[],
    ignored: ReadonlySet<BytePath>,
    rejected: Rejection[],
  ): SpriteChange[] {
    const changes: SpriteChange[] = [];
    for (const name of added) {
      const after = scan.entries.get(name);
      if (ignored.has(name) || after === undefined) continue;
      if (after.kind === 'special') {
        rejected.push({ path: name, kind: 'special', reason: 'is a device, FIFO or socket' });
      } else changes.push({ path: name, before: null, after, isModeOnly: false });
    }
    return changes;
  }

  #safeLinks(changes: readonly SpriteChange[], scan: SpriteScan, rejected: Rejection[]): SpriteChange[] {
    const { root } = this.#context;
    const linkAt = (name: BytePath): BytePath | null => {
      const entry = scan.entries.get(name);
      return entry?.kind === 'symlink' ? entry.target : hostLinkAt(root, name);
    };
    return changes.filter(({ path: name, after }) => {
      if (after?.kind !== 'symlink') return true;
      const fault = linkFault(name, after.target, linkAt);
      if (fault !== null) rejected.push({ path: name, kind: 'unsafe_link', reason: fault });
      return fault === null;
    });
  }

  #withinLimits(changes: readonly SpriteChange[], rejected: Rejection[]): SpriteChange[] {
    const { maxFileBytes, maxTotalBytes, maxFiles } = this.#limits;
    const name = this.#context.options.port.name;
    const accepted = changes.filter(({ path: file, after }) => {
      if (after?.kind !== 'file' || after.sizeBytes <= maxFileBytes) return true;
      const reason = `has ${formatBytes(after.sizeBytes)}, at most ${formatBytes(maxFileBytes)} are taken`;
      rejected.push({ path: file, kind: 'too_large', reason });
      return false;
    });
    const sizes = accepted.map(({ after }) => (after?.kind === 'file' ? after.sizeBytes : 0));
    const totalBytes = sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    const fault =
      accepted.length > maxFiles
        ? `${accepted.length} files changed, at most ${maxFiles} are taken`
        : totalBytes > maxTotalBytes
          ? `its changes have ${formatBytes(totalBytes)}, at most ${formatBytes(maxTotalBytes)} are taken`
          : null;
    if (fault === null) return accepted;
    throw errorOf('SPRITE_SYNC_FAILED', `pull from sprite "${name}": ${fault}`, {
      hint: 'nothing was changed here and the sprite is kept; let git ignore what is not wanted there, then pull again',
      details: { file_count: accepted.length, total_bytes: totalBytes },
    });
  }

  async #fetch(changes: readonly SpriteChange[]): Promise<Fetched> {
    const { dir, record, options } = this.#context;
    const paths = changes
      .filter(({ after, isModeOnly }) => after?.kind === 'file' && !isModeOnly)
      .map(({ path: name }) => name);
    return await fetchFiles(options.port, paths, {
      dir: path.join(dir, 'blobs'),
      prefix: 'a',
      gitHash: record.repositories[0]?.objectFormat ?? null,
      maxFileBytes: this.#limits.maxFileBytes,
      maxTotalBytes: this.#limits.maxTotalBytes,
      onProgress: options.onProgress,
      signal: options.signal,
    });
  }

  #changeSetOf({ scan, changes: found, rejected: refused, ignoredCount, fetched }: Attempt): ChangeSet {
    const { id, dir, root, record, options } = this.#context;
    const rejected = [...refused];
    const keeper = new ChangeKeeper(this.#context, fetched.files);
    const changes: Change[] = [];
    for (const change of found) {
      const made = keeper.changeOf(change);
      if (made === 'unread') {
        const reason = `could not be read in the sprite: ${fetched.reason}`;
        rejected.push({ path: change.path, kind: 'unreadable', reason });
      } else if (made !== null) changes.push(made);
    }
    keeper.close();
    changes.sort((a, b) => comparePaths(a.path, b.path));
    fs.rmSync(path.join(dir, 'work'), { recursive: true, force: true });
    const added = changes.filter(({ before, after }) => before === null && after !== null);
    const addedPaths = new Set(added.map(({ path: name }) => name));
    const others = [...scan.entries.keys()].filter((name) => !addedPaths.has(name));
    return {
      id,
      dir,
      root,
      sprite: options.port.name,
      token: record.token,
      createdAt: new Date().toISOString(),
      repositories: record.repositories,
      changes,
      rejected: rejected.sort((a, b) => comparePaths(a.path, b.path)),
      caseClashes: findCaseClashes(others, [...addedPaths]),
      ignoredCount,
      warnings: fetched.isWhole ? [] : [`some files changed while they were read: ${fetched.reason}`],
    };
  }

  #emptyDir(name: string): string {
    const dir = path.join(this.#context.dir, name);
    fs.rmSync(dir, { recursive: true, force: true });
    fs.mkdirSync(dir, { recursive: true });
    return dir;
  }
}
