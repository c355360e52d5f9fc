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
import { errorOf, WreckitError } from '../errors.ts';
import { type BytePath, comparePaths } from './byte-path.ts';
import { findCaseClashes } from './case-clash.ts';
import { ChangeKeeper } from './change-keeper.ts';
import { type Change, type ChangeSet, type Rejection, saveChangeSet } from './change-set.ts';
import type { ProjectRepository } from './file-selection.ts';
import { findRepository } from './git-repository.ts';
import { hostLinkAt } from './host-state.ts';
import { recoverLandings } from './land-apply.ts';
import { linkFault } from './link-safety.ts';
import { prunePulls, removeParts } from './pull-dir.ts';
import { type PullLimits, type WholeLimits, wholeLimits, withinLimits } from './pull-limits.ts';
import { findSpriteChanges, type SpriteChange } from './sprite-changes.ts';
import { asStagingError, type Fetched, fetchFiles } from './sprite-fetch.ts';
import { findIgnoredInSprite } from './sprite-ignored.ts';
import type { SpritePort } from './sprite-port.ts';
import { loadRecord, type SpriteRecord } from './sprite-record.ts';
import { type SpriteScan, scanSprite } from './sprite-scan.ts';
import { newId, openSyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';
import type { OnSyncProgress } from './sync-progress.ts';

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
  readonly #limits: WholeLimits;

  constructor(context: PullContext) {
    this.#context = context;
    this.#limits = wholeLimits(context.options.limits);
  }

  /**
   * Files that are written while they are read are read again, from the scan on; what the sprite's user may not
   * read, its root may.
   */
  async run(): Promise<ChangeSet> {
    const { port } = this.#context.options;
    const repositories = await this.#repositories();
    let result = await this.#attempt(repositories, port);
    for (let attempt = 2; attempt <= MAX_ATTEMPTS && !isWhole(result); attempt += 1) {
      this.#emptyDir('blobs');
      const asRoot = { ...port, exec: withRoot(port) };
      result = await this.#attempt(repositories, asRoot).catch(async (thrown: unknown) => {
        if (!isRootRefused(thrown)) throw thrown;
        this.#emptyDir('blobs');
        return await this.#attempt(repositories, port);
      });
    }
    return this.#changeSetOf(result);
  }

  async #attempt(repositories: readonly ProjectRepository[], port: SpritePort): Promise<Attempt> {
    const { record, root, options } = this.#context;
    const { signal } = options;
    const scan = this.#usable(await scanSprite(port, { maxEntries: this.#limits.maxScannedFiles, signal }));
    const found = await findSpriteChanges(port, record, scan, signal);
    const rejected = [...found.rejected];
    const { added } = found;
    const workDir = this.#emptyDir('work');
    const ignored = await findIgnoredInSprite({
      port,
      root,
      workDir,
      repositories,
      record,
      scan,
      added,
      changes: found.changes,
      signal,
    });
    const changes = [...found.changes, ...this.#added(scan, added, ignored, rejected)];
    const safe = this.#safeLinks(changes, scan, rejected);
    const accepted = withinLimits(port.name, safe, this.#limits, rejected);
    const fetched = await this.#fetch(port, accepted);
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

  async #fetch(port: SpritePort, changes: readonly SpriteChange[]): Promise<Fetched> {
    const { dir, record, options } = this.#context;
    const paths = changes
      .filter(({ after, isModeOnly }) => after?.kind === 'file' && !isModeOnly)
      .map(({ path: name }) => name);
    return await fetchFiles(port, paths, {
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

function isWhole({ scan, fetched }: Attempt): boolean {
  return fetched.isWhole && scan.unreadable.length === 0;
}

function withRoot(port: SpritePort): SpritePort['exec'] {
  return (argv, options) => port.exec(argv, { ...options, asRoot: true });
}

/** An engine need not be able to. */
function isRootRefused(thrown: unknown): boolean {
  return (
    thrown instanceof WreckitError && (thrown.code === 'UNSUPPORTED' || thrown.code === 'SPRITE_EXEC_FAILED')
  );
}
