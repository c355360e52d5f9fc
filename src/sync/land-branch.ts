/** The changes as a commit on a branch of their own. The working tree, the index and HEAD stay as they are. */
import fs from 'node:fs';
import { quote } from '../contract/names.ts';
import { errorOf, WreckitError } from '../errors.ts';
import { decodeUtf8 } from '../process/text.ts';
import type { BytePath } from './byte-path.ts';
import type { ChangeSet } from './change-set.ts';
import { type DiffStat, diffStat, sumOf } from './diff-trees.ts';
import { type GitOptions, git, gitBytes, gitFailure, gitLine } from './git.ts';
import { type GitRepository, gitAt } from './git-repository.ts';
import { readGitUser } from './git-user.ts';
import { type LandedCommit, makeWorkDir, type Part, partsOf, requestOf } from './land-parts.ts';
import { type TreePair, writeTrees } from './land-tree.ts';

export interface LandedBranch extends LandedCommit {
  /** Empty for the project's own repository, else the submodule's path with a slash at its end. */
  readonly at: BytePath;
  readonly branch: string;
  /** Commit the project was at when it was pushed; null: the branch begins there. */
  readonly base: string | null;
  /** A commit in between, with the uncommitted state of files that were changed; null: not needed. */
  readonly snapshot: string | null;
}

export interface BranchResult {
  /** Submodules first, the project's own last; empty: there were no changes. */
  readonly branches: readonly LandedBranch[];
  readonly stat: DiffStat;
  readonly warnings: readonly string[];
}

export interface BranchOptions {
  readonly changeSet: ChangeSet;
  /** With its prefix; made unique with `-2` and so on where it exists. */
  readonly branch: string;
  readonly message: string;
  readonly signal?: AbortSignal | undefined;
}

const SNAPSHOT_MESSAGE = `Uncommitted changes the next commit builds on

Files as they were in the working tree when the run began; only those that
the next commit changes.
`;

/** Throws `SPRITE_SYNC_FAILED` (no repository, git failed), `USAGE` (not a name for a branch). */
export async function landBranch(options: BranchOptions): Promise<BranchResult> {
  const { changeSet, signal } = options;
  const work = makeWorkDir(changeSet);
  try {
    await checkBranchName(options.branch, changeSet.root, signal);
    const branches: LandedBranch[] = [];
    const warnings: string[] = [];
    const stats: DiffStat[] = [];
    for (const part of await partsOf(changeSet, branches, signal)) {
      const gitlinks = part.gitlinks();
      if (part.changes.length + gitlinks.length === 0) continue;
      const at = gitAt(part.repository);
      const pair = await writeTrees({ ...(await requestOf(part, changeSet, work, signal)), gitlinks });
      warnings.push(...pair.warnings);
      if (pair.before === pair.after) continue;
      stats.push(await diffStat({ ...at, signal }, pair));
      branches.push(await commit(part, pair, options));
    }
    return { branches, stat: sumOf(stats), warnings };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

async function commit(
  { recorded, repository }: Part,
  pair: TreePair,
  { branch, message, signal }: BranchOptions,
): Promise<LandedBranch> {
  const at: GitOptions = { ...gitAt(repository), env: await identityOf(repository, signal), signal };
  const base = recorded.head;
  const isSnapshotNeeded = base === null ? !(await isEmptyTree(at, pair.before)) : !pair.isCommitted;
  const snapshot = isSnapshotNeeded ? await commitTree(at, pair.before, base, SNAPSHOT_MESSAGE) : null;
  const made = await commitTree(at, pair.after, snapshot ?? base, message);
  const name = await createBranch(at, branch, made, repository.objectFormat);
  return { at: recorded.at, branch: name, commit: made, base, snapshot };
}

async function isEmptyTree(at: GitOptions, tree: string): Promise<boolean> {
  return (await gitBytes(['ls-tree', tree], at)).length === 0;
}

async function commitTree(
  at: GitOptions,
  tree: string,
  parent: string | null,
  message: string,
): Promise<string> {
  const parents = parent === null ? [] : ['-p', parent];
  return await gitLine(['commit-tree', tree, ...parents, '-F', '-'], { ...at, stdin: Buffer.from(message) });
}

/** The user's own name: they ran it. */
async function identityOf({ root }: GitRepository, signal?: AbortSignal): Promise<Record<string, string>> {
  const user = await readGitUser(root, signal);
  const name = user.name ?? 'wreckit';
  const email = user.email ?? 'wreckit@localhost';
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

const MAX_SUFFIX = 1000;

/** Only ever a new ref: with the old value given as "none", git refuses to move one that exists. */
async function createBranch(
  at: GitOptions,
  branch: string,
  commitId: string,
  objectFormat: 'sha1' | 'sha256',
): Promise<string> {
  const none = '0'.repeat(objectFormat === 'sha256' ? 64 : 40);
  let base = branch;
  for (let count = 1; count <= MAX_SUFFIX; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`;
    const args = ['update-ref', '--create-reflog', '-m', 'wreckit: land changes of a sprite'];
    const done = await git([...args, `refs/heads/${name}`, commitId, none], at);
    if (!done.failed) return name;
    const stderr = decodeUtf8(done.stderr);
    // A branch called `wreckit` leaves no room for `wreckit/x`.
    if (/cannot create|unable to create directory|Not a directory/i.test(stderr) && base.includes('/')) {
      base = base.replaceAll('/', '-');
      count = 0;
    } else if (!/already exists|is at [0-9a-f]+ but expected/i.test(stderr)) {
      throw gitFailure(args, done, at.signal);
    }
  }
  throw errorOf(
    'CONFLICT',
    `land on branch ${quote(branch)}: it exists, and so do ${MAX_SUFFIX} others like it`,
  );
}

async function checkBranchName(branch: string, cwd: string, signal?: AbortSignal): Promise<void> {
  const done = await git(['check-ref-format', `refs/heads/${branch}`], { cwd, signal });
  const isFit = done.exitCode === 0 && !branch.startsWith('-') && branch !== 'HEAD';
  if (!isFit && done.spawnError === null) {
    throw new WreckitError('USAGE', `branch: ${quote(branch)} is not a name git takes for a branch`);
  }
}
