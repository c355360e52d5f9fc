/**
 * Which names of a project are looked at: what git tracks or would track, in submodules too; outside git
 * everything that no .gitignore names. Nothing is read here but directories.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BytePath, bytePathOfText, comparePaths, hostPath, parentOf } from './byte-path.ts';
import { git, gitBytes, gitFailure, splitNul } from './git.ts';
import { findRepository, type GitRepository, gitAt } from './git-repository.ts';
import { isGitName, isPrivateToHost } from './path-safety.ts';
import { compilePatterns } from './patterns.ts';
import { walkFiles } from './walk-files.ts';

export interface ProjectRepository {
  /** Empty for the project's own, else the submodule's path with a slash at its end. */
  readonly at: BytePath;
  readonly repository: GitRepository;
}

export interface FileSelection {
  /** Sorted; each is a file, a link, something else, or gone by now. */
  readonly paths: readonly BytePath[];
  /** Named by an `include` pattern without wildcards. */
  readonly namedOutright: ReadonlySet<BytePath>;
  /** In the index, but left out of the work tree by a sparse checkout. */
  readonly sparse: ReadonlySet<BytePath>;
  readonly repositories: readonly ProjectRepository[];
  /** Repositories inside the project that are no submodules; their files are not sent. */
  readonly nested: readonly BytePath[];
  readonly isGitMissing: boolean;
  readonly isBare: boolean;
}

export interface SelectionOptions {
  readonly include: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

class Collector {
  readonly paths = new Set<BytePath>();
  readonly namedOutright = new Set<BytePath>();
  readonly sparse = new Set<BytePath>();
  readonly repositories: ProjectRepository[] = [];
  readonly nested: BytePath[] = [];
}

/** Throws `SPRITE_SYNC_FAILED` when git fails, `CONFIG_INVALID` for a bad pattern. */
export async function selectFiles(root: string, options: SelectionOptions): Promise<FileSelection> {
  const found = await findRepository(root, options.signal);
  const collector = new Collector();
  const isGitMissing = found.kind === 'none' && found.isGitMissing;
  if (found.kind === 'repository') {
    await addRepository(collector, { at: '', repository: found.repository }, options.signal);
  } else if (isGitMissing) {
    addTree(collector, root, options.signal);
  } else if (found.kind === 'none') {
    await addWithIgnoreRules(collector, root, options.signal);
  }
  for (const pattern of options.include) addIncluded(collector, root, pattern, options.signal);
  const { paths, ...rest } = collector;
  return {
    ...rest,
    paths: [...paths].filter((name) => !isPrivateToHost(name)).sort(comparePaths),
    isGitMissing,
    isBare: found.kind === 'bare',
  };
}

async function addRepository(
  collector: Collector,
  place: ProjectRepository,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { at, repository } = place;
  collector.repositories.push(place);
  const submodules: BytePath[] = [];
  const args = ['ls-files', '--cached', '--others', '--stage', '-t', '--exclude-standard', '-z'];
  for (const record of splitNul(
    await gitBytes(args, { ...gitAt(repository), withUserConfig: true, signal }),
  )) {
    const tag = record[0];
    const isOther = tag === '?';
    const name = at + (isOther ? record.slice(2) : record.slice(record.indexOf('\t') + 1));
    if (isOther && name.endsWith('/')) collector.nested.push(name.slice(0, -1));
    else if (!isOther && record.startsWith('160000 ', 2)) submodules.push(name);
    else if (tag === 'S') collector.sparse.add(name);
    else collector.paths.add(name);
  }
  for (const name of new Set(submodules)) {
    const found = await findSubmodule(repository.root, at, name, signal);
    if (found !== null) await addRepository(collector, { at: `${name}/`, repository: found }, signal);
  }
}

/** Null where the submodule is not checked out: then the directory is part of the outer repository. */
async function findSubmodule(
  parentRoot: string,
  at: BytePath,
  name: BytePath,
  signal: AbortSignal | undefined,
): Promise<GitRepository | null> {
  const dir = hostPath(parentRoot, name.slice(at.length));
  // A directory whose name is not UTF-8 can be nobody's working directory here.
  if (typeof dir !== 'string' || !existsSync(`${dir}/.git`)) return null;
  const found = await findRepository(dir, signal);
  return found.kind === 'repository' && found.repository.prefix === '' ? found.repository : null;
}

/** Files git ignores; directories that it ignores as a whole are left out. */
export async function listIgnored(
  repositories: readonly ProjectRepository[],
  signal?: AbortSignal,
): Promise<BytePath[]> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'];
  const names: BytePath[] = [];
  for (const { at, repository } of repositories) {
    const answer = await gitBytes(args, { ...gitAt(repository), withUserConfig: true, signal });
    for (const name of splitNul(answer)) if (!name.endsWith('/')) names.push(at + name);
  }
  return names;
}

function addTree(collector: Collector, root: string, signal: AbortSignal | undefined): void {
  for (const name of walkFiles(root, { skipDirectory: isNeverEntered, signal })) {
    if (!name.split('/').some(isGitName)) collector.paths.add(name);
  }
}

function isNeverEntered(dir: BytePath): boolean {
  return isGitName(dir.slice(dir.lastIndexOf('/') + 1)) || isPrivateToHost(dir);
}

/** Outside git its .gitignore files still say what is made by tools: an empty repository is lent to them. */
async function addWithIgnoreRules(
  collector: Collector,
  root: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const lent = mkdtempSync(path.join(tmpdir(), 'wreckit-select-'));
  try {
    await gitBytes(['init', '--quiet', '--bare', lent], { cwd: lent, signal });
    const args = ['ls-files', '--others', '--exclude-standard', '-z'];
    const done = await git(args, { cwd: root, gitDir: lent, workTree: root, withUserConfig: true, signal });
    if (done.failed) throw gitFailure(args, done, signal);
    for (const name of splitNul(Buffer.from(done.stdout))) {
      if (name.endsWith('/')) collector.nested.push(name.slice(0, -1));
      else collector.paths.add(name);
    }
  } finally {
    rmSync(lent, { recursive: true, force: true });
  }
}

/** Walks from the last directory that the pattern names without a wildcard. */
function addIncluded(
  collector: Collector,
  root: string,
  pattern: string,
  signal: AbortSignal | undefined,
): void {
  const patterns = compilePatterns([pattern]);
  const plain = bytePathOfText(pattern.trim()).replace(/^\.?\/+/, '');
  const isAnchored = /^\.?\//.test(pattern.trim()) || plain.replace(/\/+$/, '').includes('/');
  const start = isAnchored ? parentOf(plain.slice(0, firstWildcard(plain))) : '';
  for (const name of walkFiles(root, { start, skipDirectory: isNeverEntered, signal })) {
    if (patterns.match(name) === null || name.split('/').some(isGitName)) continue;
    collector.paths.add(name);
    // A name with wildcard characters in it is never equal to what it matches but by chance.
    if (name === plain) collector.namedOutright.add(name);
  }
}

function firstWildcard(pattern: string): number {
  const at = pattern.search(/[*?[\\]/);
  return at === -1 ? pattern.length : at;
}
