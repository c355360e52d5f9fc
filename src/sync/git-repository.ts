/** The repository a project lies in, as far as git says without running anything of it. */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import { type RunResult, run } from '../process/run.ts';
import { decodeUtf8 } from '../process/text.ts';
import type { BytePath } from './byte-path.ts';
import { git, gitFailure, isGitMissing, programEnv, userConfigEnv } from './git.ts';

export interface GitRepository {
  /** The directory looked at; the work tree's top unless `prefix` says otherwise. */
  readonly root: string;
  /** Absolute; of a linked work tree its own directory. */
  readonly gitDir: string;
  readonly commonDir: string;
  /** From the top of the work tree to `root`: empty, or ending in a slash. */
  readonly prefix: BytePath;
  /** Commit id; null while the branch is unborn. */
  readonly head: string | null;
  /** `refs/heads/main`; null when HEAD is detached. */
  readonly headRef: string | null;
  readonly objectFormat: 'sha1' | 'sha256';
  /** What git is in the middle of: `merge`, `rebase`, `cherry-pick`, `revert`, `bisect`. */
  readonly operation: string | null;
}

/** `none`: not in a repository, or git is not installed. `bare`: one without a work tree. */
export type FoundRepository =
  | { readonly kind: 'repository'; readonly repository: GitRepository }
  | { readonly kind: 'none'; readonly isGitMissing: boolean }
  | { readonly kind: 'bare' };

/** Throws `SPRITE_SYNC_FAILED` for a repository git refuses to use. */
export async function findRepository(root: string, signal?: AbortSignal): Promise<FoundRepository> {
  const ask = (args: readonly string[]): Promise<RunResult> => askAsUser(root, args, signal);
  const answer = await ask(['rev-parse', ...FACTS]);
  signal?.throwIfAborted();
  if (isGitMissing(answer)) return { kind: 'none', isGitMissing: true };
  const facts = lineOf(answer).split('\n');
  // Without a commit the last two questions fail; with a line end in a path there are more lines than questions.
  if (answer.failed && facts.length < FACTS.length - 3) return notUsable(root, answer);
  const [isBare, isInside, objectFormat] = facts;
  if (isBare === 'true') return { kind: 'bare' };
  // Inside `.git` itself: no project.
  if (isInside !== 'true') return { kind: 'none', isGitMissing: false };
  const isPlain = !answer.failed && facts.length === FACTS.length - 1;
  const { gitDir, prefix, head, headRef } = isPlain ? plainPlace(facts) : await askForPlace(ask);
  const repository: GitRepository = {
    root,
    gitDir,
    commonDir: commonDirOf(gitDir),
    prefix,
    head,
    headRef,
    objectFormat: objectFormat === 'sha256' ? 'sha256' : 'sha1',
    operation: operationOf(gitDir),
  };
  return { kind: 'repository', repository };
}

/** Seven answers, one line each: the last but one is the commit, the last `refs/heads/…`, or `HEAD` when detached. */
const FACTS = [
  '--is-bare-repository',
  '--is-inside-work-tree',
  '--show-object-format',
  '--absolute-git-dir',
  '--show-prefix',
  'HEAD',
  '--symbolic-full-name',
  'HEAD',
];

type Place = Pick<GitRepository, 'gitDir' | 'prefix' | 'head' | 'headRef'>;

function plainPlace(facts: readonly string[]): Place {
  const [, , , gitDir = '', prefix = '', head = '', ref = ''] = facts;
  return { gitDir: textOf(gitDir), prefix, head, headRef: ref === 'HEAD' ? null : ref };
}

/** One by one: where there is no commit yet, and for paths with line ends in them. */
async function askForPlace(ask: (args: readonly string[]) => Promise<RunResult>): Promise<Place> {
  const [gitDir, prefix, head, headRef] = await Promise.all([
    ask(['rev-parse', '--absolute-git-dir']),
    ask(['rev-parse', '--show-prefix']),
    ask(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    ask(['symbolic-ref', '--quiet', 'HEAD']),
  ]);
  return {
    gitDir: textOf(lineOf(gitDir)),
    prefix: lineOf(prefix),
    head: head.failed ? null : lineOf(head),
    headRef: headRef.failed ? null : lineOf(headRef),
  };
}

/** Of one character per byte. */
function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * With the user's own configuration, which says what repositories are safe; of the repository's, nothing that
 * `rev-parse`, `symbolic-ref` and `config` would run.
 */
export async function askAsUser(
  root: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<RunResult> {
  const ceiling = process.env.GIT_CEILING_DIRECTORIES;
  const env: Record<string, string> = {
    ...programEnv(),
    ...userConfigEnv(),
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
  if (ceiling !== undefined) env.GIT_CEILING_DIRECTORIES = ceiling;
  return await run(['git', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args], {
    cwd: root,
    env,
    signal,
  });
}

function notUsable(root: string, answer: RunResult): FoundRepository {
  const stderr = decodeUtf8(answer.stderr).trim();
  if (/not a git repository/i.test(stderr)) return { kind: 'none', isGitMissing: false };
  const isOthers = /dubious ownership/i.test(stderr);
  throw errorOf(
    'SPRITE_SYNC_FAILED',
    `project ${quote(root)}: git refuses this repository: ${quote(stderr.split('\n')[0] ?? '')}`,
    {
      hint: isOthers
        ? 'if you trust it: git config --global --add safe.directory DIR'
        : 'see what git says there: git status',
    },
  );
}

function lineOf(answer: RunResult): string {
  return Buffer.from(answer.stdout).toString('latin1').replace(/\n$/, '');
}

function commonDirOf(gitDir: string): string {
  const file = path.join(gitDir, 'commondir');
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : '';
  return text === '' ? gitDir : path.resolve(gitDir, text);
}

const OPERATIONS: readonly (readonly [string, string])[] = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
];

function operationOf(gitDir: string): string | null {
  return OPERATIONS.find(([file]) => fs.existsSync(path.join(gitDir, file)))?.[1] ?? null;
}

/** Options for plumbing in this repository. */
export function gitAt(repository: GitRepository): { cwd: string; gitDir: string; workTree: string } {
  return { cwd: repository.root, gitDir: repository.gitDir, workTree: topOf(repository) };
}

/** The top of the work tree. */
export function topOf({ root, prefix }: GitRepository): string {
  const depth = prefix.split('/').length - 1;
  return depth === 0 ? root : path.resolve(root, ...Array.from({ length: depth }, () => '..'));
}

/** The tree entries of a commit below the repository's prefix, by path relative to `root`. */
export async function readTree(
  repository: GitRepository,
  commit: string,
  signal?: AbortSignal,
): Promise<Map<BytePath, TreeEntry>> {
  const prefix = repository.prefix;
  // `ls-tree` takes names relative to where it runs, so the whole tree of the prefix is asked for by its id.
  const treeish =
    prefix === '' ? `${commit}^{tree}` : `${commit}:${Buffer.from(prefix, 'latin1').toString('utf8')}`;
  const args = ['ls-tree', '-r', '-z', '--full-tree', treeish];
  const done = await git(args, { ...gitAt(repository), signal });
  const entries = new Map<BytePath, TreeEntry>();
  // The prefix may be in no commit yet.
  if (done.failed && prefix !== '' && /not a valid object name/i.test(decodeUtf8(done.stderr)))
    return entries;
  if (done.failed || done.stdoutTruncatedBytes > 0) throw gitFailure(args, done, signal);
  for (const field of Buffer.from(done.stdout).toString('latin1').split('\0')) {
    const tab = field.indexOf('\t');
    if (tab === -1) continue;
    const [mode = '', , oid = ''] = field.slice(0, tab).split(' ');
    entries.set(field.slice(tab + 1), { mode, oid });
  }
  return entries;
}

export interface TreeEntry {
  /** `100644`, `100755`, `120000` (symlink), `160000` (submodule). */
  readonly mode: string;
  readonly oid: string;
}
