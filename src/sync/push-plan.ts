/**
 * What would leave this machine, file by file, and why the rest stays. `planPush` reads names and sizes, and
 * of files whose name looks like a secret the beginning; nothing is sent.
 */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { formatBytes } from '../contract/units.ts';
import { errnoOf, errorOf } from '../errors.ts';
import { type BytePath, comparePaths, hostPath, parentOf, showPath, toBytePath } from './byte-path.ts';
import { type FileSelection, listIgnored, type ProjectRepository, selectFiles } from './file-selection.ts';
import { compilePatterns } from './patterns.ts';
import { SECRET_PEEK_BYTES, type SecretVerdict, secretVerdict } from './secrets.ts';
import type { PrefetchedStats } from './stat-prefetch.ts';

export interface PushPlanOptions {
  /** The project's directory. */
  readonly root: string;
  /** Sent although git ignores them; patterns as in .gitignore. */
  readonly include?: readonly string[] | undefined;
  /** Never sent (`syncExcludePatterns`). */
  readonly exclude?: readonly string[] | undefined;
  /** Also names files that look like secrets and stay because git ignores them. */
  readonly explainIgnored?: boolean | undefined;
  /** Bigger files stay; 8 GiB when absent. */
  readonly maxFileBytes?: number | undefined;
  /** Taken at about the same time; what is not in it is looked at. */
  readonly stats?: Promise<PrefetchedStats> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What tells that a file has not changed since it was last read. Times are milliseconds since 1970 with fraction:
 * a quarter of a microsecond is told apart.
 */
export interface StatKey {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  readonly mode: number;
}

export interface PlannedFile {
  readonly path: BytePath;
  readonly kind: 'file';
  readonly stat: StatKey;
}

export interface PlannedLink {
  readonly path: BytePath;
  readonly kind: 'symlink';
  readonly target: BytePath;
}

export type PlannedEntry = PlannedFile | PlannedLink;

export type KeptKind =
  | 'secret'
  | 'ignored'
  | 'excluded'
  | 'too_large'
  | 'special'
  | 'unreadable'
  | 'nested_repository'
  | 'behind_link';

export interface KeptBack {
  readonly path: BytePath;
  readonly kind: KeptKind;
  /** For people, after the file's name: `is an environment file`. */
  readonly reason: string;
  /** Rule of `secrets.ts`, or the pattern that excludes it. */
  readonly rule: string | null;
}

export interface PushPlan {
  readonly root: string;
  /** Sorted by path. */
  readonly entries: readonly PlannedEntry[];
  readonly keptBack: readonly KeptBack[];
  /** Sum of the files' sizes. */
  readonly totalBytes: number;
  readonly repositories: readonly ProjectRepository[];
  /** Left out by a sparse checkout. */
  readonly sparse: ReadonlySet<BytePath>;
  readonly warnings: readonly string[];
}

const DEFAULT_MAX_FILE_BYTES = 8 * 1024 ** 3;

/** Throws `SPRITE_SYNC_FAILED` (no such project, bare repository, git refuses), `CONFIG_INVALID` (patterns). */
export async function planPush(options: PushPlanOptions): Promise<PushPlan> {
  const root = projectDirectory(options.root);
  const selection = await selectFiles(root, { include: options.include ?? [], signal: options.signal });
  if (selection.isBare) {
    throw errorOf(
      'SPRITE_SYNC_FAILED',
      `project: ${quote(root)} is a bare git repository, without files to send`,
      {
        hint: 'run it in a work tree: git worktree add DIR',
      },
    );
  }
  const plan = planOf(root, selection, options, (await options.stats) ?? new Map());
  if (options.explainIgnored !== true) return plan;
  const keptBack = [...plan.keptBack, ...(await explainIgnored(plan, options.signal))];
  return { ...plan, keptBack: keptBack.sort((a, b) => comparePaths(a.path, b.path)) };
}

/** Absolute. Throws `SPRITE_SYNC_FAILED` where it is no directory. */
export function projectDirectory(given: string): string {
  const root = path.resolve(given);
  if (fs.statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) return root;
  throw errorOf('SPRITE_SYNC_FAILED', `project: ${quote(root)} is not a directory`, {
    hint: 'give the directory of a project with --cwd',
  });
}

/** Directories that are ignored as a whole (node_modules) are not looked into. */
async function explainIgnored(
  { root, entries, repositories }: PushPlan,
  signal?: AbortSignal,
): Promise<KeptBack[]> {
  const sent = new Set(entries.map(({ path: name }) => name));
  const ignored = await listIgnored(repositories, signal);
  return ignored.flatMap((name) => {
    const secret = sent.has(name) ? null : secretVerdict(name, () => peek(root, name));
    return secret === null
      ? []
      : [kept(name, 'ignored', `is ignored by git, and ${secret.reason}`, secret.rule)];
  });
}

function planOf(
  root: string,
  selection: FileSelection,
  options: PushPlanOptions,
  stats: PrefetchedStats,
): PushPlan {
  const excluded = compilePatterns(options.exclude ?? []);
  const looker = new EntryLooker(root, options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES, stats);
  const entries: PlannedEntry[] = [];
  const keptBack: KeptBack[] = selection.nested.map((nested) => ({
    path: nested,
    kind: 'nested_repository',
    reason: 'is a git repository of its own; add it with include to send its files',
    rule: null,
  }));
  let totalBytes = 0;
  for (const name of selection.paths) {
    options.signal?.throwIfAborted();
    const pattern = excluded.isEmpty ? null : excluded.match(name);
    if (pattern !== null) {
      keptBack.push({ path: name, kind: 'excluded', reason: 'is excluded by a pattern', rule: pattern });
      continue;
    }
    const looked = looker.look(name, selection.namedOutright.has(name));
    if (looked === null) continue;
    if ('reason' in looked) keptBack.push(looked);
    else {
      entries.push(looked);
      if (looked.kind === 'file') totalBytes += looked.stat.sizeBytes;
    }
  }
  return {
    root,
    entries,
    keptBack,
    totalBytes,
    repositories: selection.repositories,
    sparse: selection.sparse,
    warnings: warningsOf(selection),
  };
}

function warningsOf({ repositories, isGitMissing }: FileSelection): string[] {
  const warnings: string[] = [];
  const own = repositories.find(({ at }) => at === '')?.repository;
  if (isGitMissing)
    warnings.push('git is not installed: .gitignore is not heeded, the sprite gets no repository');
  if (own?.operation != null) {
    warnings.push(
      `a ${own.operation} is in progress: the sprite gets the files as they are, not the ${own.operation}`,
    );
  }
  if (own !== undefined && own.prefix !== '') {
    warnings.push('the project is part of a larger repository: the sprite gets its files, not its history');
  }
  return warnings;
}

class EntryLooker {
  readonly #root: string;
  readonly #maxFileBytes: number;
  /** Whether each directory is one: below a link nothing belongs to the project. */
  readonly #isRealDirectory = new Map<BytePath, boolean>([['', true]]);

  readonly #stats: PrefetchedStats;

  constructor(root: string, maxFileBytes: number, stats: PrefetchedStats) {
    this.#root = root;
    this.#maxFileBytes = maxFileBytes;
    this.#stats = stats;
  }

  /** Null: it is not there (deleted, though git still knows it), or an empty place of a submodule. */
  look(name: BytePath, isNamedOutright: boolean): PlannedEntry | KeptBack | null {
    if (!this.#isDirectory(parentOf(name))) {
      return this.#lstat(name) === undefined
        ? null
        : kept(name, 'behind_link', 'lies behind a symbolic link');
    }
    const stat = this.#stats.get(name) ?? this.#lstat(name);
    if (stat === undefined || stat.isDirectory()) return null;
    if (stat.isSymbolicLink()) return this.#link(name);
    if (!stat.isFile()) return kept(name, 'special', 'is not a file, directory or symbolic link');
    const sizeBytes = stat.size;
    const secret = isNamedOutright ? null : this.#secret(name);
    if (secret !== null) return kept(name, 'secret', secret.reason, secret.rule);
    if (sizeBytes > this.#maxFileBytes) {
      return kept(
        name,
        'too_large',
        `has ${formatBytes(sizeBytes)}, at most ${formatBytes(this.#maxFileBytes)} are sent`,
      );
    }
    return { path: name, kind: 'file', stat: statKeyOf(stat) };
  }

  #link(name: BytePath): PlannedEntry | KeptBack {
    // A link is a name, not what it leads to: a link called `.env` tells nothing but where it points.
    try {
      const target = fs.readlinkSync(hostPath(this.#root, name), { encoding: 'buffer' });
      return { path: name, kind: 'symlink', target: toBytePath(target) };
    } catch (thrown) {
      return kept(name, 'unreadable', `can't be read: ${errnoOf(thrown) ?? String(thrown)}`);
    }
  }

  #secret(name: BytePath): SecretVerdict | null {
    return secretVerdict(name, () => peek(this.#root, name));
  }

  #isDirectory(dir: BytePath): boolean {
    const known = this.#isRealDirectory.get(dir);
    if (known !== undefined) return known;
    const isDirectory = this.#isDirectory(parentOf(dir)) && this.#lstat(dir)?.isDirectory() === true;
    this.#isRealDirectory.set(dir, isDirectory);
    return isDirectory;
  }

  #lstat(name: BytePath): fs.Stats | undefined {
    try {
      return fs.lstatSync(hostPath(this.#root, name), { throwIfNoEntry: false });
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (errno === 'ENOTDIR' || errno === 'ELOOP' || errno === 'EACCES' || errno === 'ENAMETOOLONG')
        return undefined;
      throw thrown;
    }
  }
}

export function statKeyOf({ size, mtimeMs, ctimeMs, ino, mode }: fs.Stats): StatKey {
  return { sizeBytes: size, mtimeMs, ctimeMs, ino, mode: mode & 0o7777 };
}

function kept(name: BytePath, kind: KeptKind, reason: string, rule: string | null = null): KeptBack {
  return { path: name, kind, reason, rule };
}

function peek(root: string, name: BytePath): string | null {
  try {
    const fd = fs.openSync(hostPath(root, name), fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
    try {
      const buffer = Buffer.alloc(SECRET_PEEK_BYTES);
      return buffer.toString('latin1', 0, fs.readSync(fd, buffer, 0, buffer.length, 0));
    } finally {
      fs.closeSync(fd);
    }
  } catch (thrown) {
    if (errnoOf(thrown) === undefined) throw thrown;
    return null;
  }
}

/** For people: `.env is an environment file`. */
export function describeKept({ path: name, reason, rule, kind }: KeptBack): string {
  const by = kind === 'excluded' && rule !== null ? ` (${rule})` : '';
  return `${showPath(name)} ${reason}${by}`;
}
