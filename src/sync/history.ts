/**
 * The repository a sprite gets: commits and their objects as one pack with its index, made here by git's
 * plumbing, plus a HEAD, one branch, an index and a neutral configuration. No remote, hook, credential or
 * setting of this machine goes along, and no content of files that stay here: a repository that lacks some is
 * marked as git marks a partial clone. docs/decisions/0007-sync.md says why this is no bundle file.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { TarInput } from '../archive/tar-writer.ts';
import { type BytePath, bytesOfPath } from './byte-path.ts';
import type { ProjectRepository } from './file-selection.ts';
import { type GitOptions, git, gitBytes, gitFailure } from './git.ts';
import { type GitRepository, gitAt, type TreeEntry } from './git-repository.ts';
import { hasSecretName, SECRET_PEEK_BYTES, SECRET_RULES } from './secrets.ts';

export interface HistoryOptions {
  /** How many commits, newest first; null for all. */
  readonly depth: number | null;
  /** The tree of HEAD, by path relative to the repository. */
  readonly tree: ReadonlyMap<BytePath, TreeEntry>;
  /** Whether the file at this path of the repository is sent; its content may then be in the history. */
  readonly isSent: (path: BytePath) => boolean;
  /** Whether the file at this path is here and stays here. */
  readonly isKeptBack: (path: BytePath) => boolean;
  /** Whether a pattern keeps this path back, in older commits too. */
  readonly isExcluded: (path: BytePath) => boolean;
  /** Boundary commits the sprite has from earlier pushes. */
  readonly knownShallow: readonly string[];
  /** Empty, and the caller's to remove once the entries were read. */
  readonly workDir: string;
  readonly signal?: AbortSignal | undefined;
}

export interface History {
  readonly entries: readonly TarInput[];
  readonly commitCount: number;
  readonly shallow: readonly string[];
  /** Objects of files that stay here. */
  readonly withheldCount: number;
}

/** Throws `SPRITE_SYNC_FAILED` when git can't make it (objects missing here, for example). */
export async function buildHistory(place: ProjectRepository, options: HistoryOptions): Promise<History> {
  const { repository } = place;
  const target = `${place.at}.git/`;
  const { head } = repository;
  if (head === null) return buildUnbornHistory(place);
  const { commits, shallow } = await listCommits(repository, head, options);
  const { oids, withheldCount } = await listObjects(repository, commits, options);
  const allShallow = [...new Set([...options.knownShallow, ...shallow])];
  const [pack] = await Promise.all([
    makePack(repository, oids, options),
    makeIndex(repository, head, options),
  ]);
  const isPartial = withheldCount > 0;
  const entries: TarInput[] = [
    ...skeleton(target, repository, isPartial),
    ...emptyDirectories(target),
    fileEntry(`${target}index`, path.join(options.workDir, 'index')),
    ...packEntries(target, options.workDir, pack, isPartial),
  ];
  if (allShallow.length > 0) entries.push(textEntry(`${target}shallow`, `${allShallow.join('\n')}\n`));
  if (repository.headRef !== null) entries.push(textEntry(`${target}${repository.headRef}`, `${head}\n`));
  return { entries, commitCount: commits.length, shallow: allShallow, withheldCount };
}

/** A repository without a commit. */
export function buildUnbornHistory({ at, repository }: ProjectRepository): History {
  const target = `${at}.git/`;
  const unborn = { ...repository, head: null, headRef: repository.headRef ?? 'refs/heads/main' };
  const entries = [...skeleton(target, unborn, false), ...emptyDirectories(target)];
  return { entries, commitCount: 0, shallow: [], withheldCount: 0 };
}

interface CommitList {
  readonly commits: readonly string[];
  readonly shallow: readonly string[];
}

async function listCommits(
  repository: GitRepository,
  head: string,
  options: HistoryOptions,
): Promise<CommitList> {
  const count = options.depth === null ? [] : [`--max-count=${options.depth}`];
  const args = ['rev-list', '--parents', ...count, head];
  const lines = await gitBytes(args, { ...gitAt(repository), signal: options.signal });
  const rows = lines
    .toString('latin1')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const commits = rows.map(([commit = '']) => commit);
  const known = new Set(commits);
  // A shallow repository here: its boundary commits show no parents, but have some.
  const hostShallow = shallowOf(repository);
  const shallow = rows
    .filter(
      ([commit = '', ...parents]) => hostShallow.has(commit) || parents.some((parent) => !known.has(parent)),
    )
    .map(([commit = '']) => commit);
  return { commits, shallow };
}

function shallowOf(repository: GitRepository): Set<string> {
  const file = path.join(repository.commonDir, 'shallow');
  return new Set(fs.existsSync(file) ? fs.readFileSync(file, 'latin1').split('\n').filter(Boolean) : []);
}

interface ObjectList {
  readonly oids: readonly string[];
  readonly withheldCount: number;
}

/** Every object of the commits, but the contents of files that stay here. */
async function listObjects(
  repository: GitRepository,
  commits: readonly string[],
  options: HistoryOptions,
): Promise<ObjectList> {
  const at: GitOptions = { ...gitAt(repository), signal: options.signal };
  const stdin = Buffer.from(`${commits.join('\n')}\n`);
  const listing = await gitBytes(['rev-list', '--objects', '--no-walk=unsorted', '--stdin'], {
    ...at,
    stdin,
  });
  const oids: string[] = [];
  const doubtful: { oid: string; path: BytePath }[] = [];
  const sentOids = new Set<string>();
  for (const [name, { oid }] of options.tree) if (options.isSent(name)) sentOids.add(oid);
  for (const line of listing.toString('latin1').split('\n')) {
    if (line === '') continue;
    const space = line.indexOf(' ');
    const oid = space === -1 ? line : line.slice(0, space);
    const name = space === -1 ? '' : line.slice(space + 1);
    if (name !== '' && !sentOids.has(oid) && isDoubtful(name, options)) doubtful.push({ oid, path: name });
    else oids.push(oid);
  }
  const withheld = await findWithheld(at, doubtful, options);
  for (const { oid } of doubtful) if (!withheld.has(oid)) oids.push(oid);
  return { oids, withheldCount: withheld.size };
}

function isDoubtful(name: BytePath, { isExcluded, isKeptBack }: HistoryOptions): boolean {
  return isExcluded(name) || hasSecretName(name) || isKeptBack(name);
}

/** Of the doubtful ones, those that are file contents and may not go. */
async function findWithheld(
  at: GitOptions,
  doubtful: readonly { oid: string; path: BytePath }[],
  options: HistoryOptions,
): Promise<ReadonlySet<string>> {
  const withheld = new Set<string>();
  if (doubtful.length === 0) return withheld;
  const stdin = Buffer.from(`${doubtful.map(({ oid }) => oid).join('\n')}\n`);
  const format = '--batch-check=%(objecttype)';
  const types = (await gitBytes(['cat-file', format], { ...at, stdin })).toString('latin1').split('\n');
  for (const [index, { oid, path: name }] of doubtful.entries()) {
    if (types[index] !== 'blob') continue;
    const rules = SECRET_RULES.filter((rule) => rule.path.test(name));
    const isByNameAlone = rules.length === 0 || rules.some((rule) => rule.content === undefined);
    if (options.isExcluded(name) || isByNameAlone || (await hasSecret(at, oid, rules))) withheld.add(oid);
  }
  return withheld;
}

async function hasSecret(at: GitOptions, oid: string, rules: typeof SECRET_RULES): Promise<boolean> {
  const args = ['cat-file', 'blob', oid];
  const done = await git(args, { ...at, maxBytes: 2 * SECRET_PEEK_BYTES });
  if (done.failed) throw gitFailure(args, done, at.signal);
  const text = Buffer.from(done.stdout).toString('latin1', 0, SECRET_PEEK_BYTES);
  return rules.some((rule) => rule.content?.test(text) !== false);
}

/** Returns the pack's name. Deltas that are there are used again, none are searched for. */
async function makePack(
  repository: GitRepository,
  oids: readonly string[],
  { workDir, signal }: HistoryOptions,
): Promise<string> {
  const args = ['pack-objects', '-q', '--window=0', '--delta-base-offset', path.join(workDir, 'pack')];
  const stdin = Buffer.from(`${oids.join('\n')}\n`);
  const config = {
    'pack.packSizeLimit': '0',
    'pack.writeBitmaps': 'false',
    'pack.writeReverseIndex': 'false',
  };
  const name = await gitBytes(args, { ...gitAt(repository), stdin, config, signal });
  return name.toString('latin1').trim();
}

/** HEAD's tree as an index; files that stay here are marked as left out, so that they don't look deleted. */
async function makeIndex(repository: GitRepository, head: string, options: HistoryOptions): Promise<void> {
  const env = { GIT_INDEX_FILE: path.join(options.workDir, 'index') };
  const config = { 'index.version': '2', 'feature.manyFiles': 'false', 'index.skipHash': 'false' };
  const at: GitOptions = { ...gitAt(repository), cwd: options.workDir, env, config, signal: options.signal };
  await gitBytes(['read-tree', head], at);
  const unsent = [...options.tree].filter(([name, { mode }]) => mode !== '160000' && !options.isSent(name));
  // Deleted here: that is a change the sprite is to see.
  const left = unsent.filter(([name]) => options.isKeptBack(name)).map(([name]) => name);
  if (left.length === 0) return;
  const stdin = bytesOfPath(`${left.join('\0')}\0`);
  await gitBytes(['update-index', '--skip-worktree', '-z', '--stdin'], {
    ...at,
    cwd: repository.root,
    stdin,
  });
}

function* skeleton(target: BytePath, repository: GitRepository, isPartial: boolean): Generator<TarInput> {
  const { head, headRef, objectFormat } = repository;
  yield textEntry(`${target}HEAD`, headRef === null ? `${head}\n` : `ref: ${headRef}\n`);
  yield textEntry(`${target}config`, configText(objectFormat, isPartial));
  yield textEntry(`${target}info/exclude`, '/.wreckit/sync/\n');
}

function configText(objectFormat: 'sha1' | 'sha256', isPartial: boolean): string {
  const isPlain = objectFormat === 'sha1' && !isPartial;
  const lines = [
    '[core]',
    `\trepositoryformatversion = ${isPlain ? 0 : 1}`,
    '\tfilemode = true',
    '\tbare = false',
    '\tlogallrefupdates = true',
  ];
  if (!isPlain) lines.push('[extensions]');
  if (objectFormat === 'sha256') lines.push('\tobjectformat = sha256');
  if (isPartial) lines.push('\tpartialClone = withheld', '[remote "withheld"]', '\tpromisor = true');
  lines.push('[user]', '\tname = Sprite agent', '\temail = agent@sprite.invalid');
  return `${lines.join('\n')}\n`;
}

/** git takes a directory without these for no repository. */
function emptyDirectories(target: BytePath): TarInput[] {
  return ['objects/', 'refs/heads/', 'refs/tags/'].map((name) => ({
    name: bytesOfPath(target + name),
    type: 'directory',
    mode: 0o755,
    mtimeSeconds: 0,
    sizeBytes: 0,
  }));
}

function packEntries(target: BytePath, workDir: string, pack: string, isPartial: boolean): TarInput[] {
  const names = [`pack-${pack}.pack`, `pack-${pack}.idx`];
  const entries = names.map((name) =>
    fileEntry(`${target}objects/pack/${name}`, path.join(workDir, name), 0o444),
  );
  if (isPartial) entries.push(textEntry(`${target}objects/pack/pack-${pack}.promisor`, ''));
  return entries;
}

export function textEntry(name: BytePath, text: string): TarInput {
  const content = Buffer.from(text);
  return {
    name: bytesOfPath(name),
    type: 'file',
    mode: 0o644,
    mtimeSeconds: Math.floor(Date.now() / 1000),
    sizeBytes: content.length,
    content: [content],
  };
}

function fileEntry(name: BytePath, file: string, mode = 0o644): TarInput {
  const { size, mtimeMs } = fs.statSync(file);
  return {
    name: bytesOfPath(name),
    type: 'file',
    mode,
    mtimeSeconds: Math.floor(mtimeMs / 1000),
    sizeBytes: size,
    content: readInPieces(file),
  };
}

function* readInPieces(file: string): Generator<Uint8Array> {
  const fd = fs.openSync(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(512 * 1024);
    for (let count = fs.readSync(fd, buffer); count > 0; count = fs.readSync(fd, buffer)) {
      yield Buffer.from(buffer.subarray(0, count));
    }
  } finally {
    fs.closeSync(fd);
  }
}
