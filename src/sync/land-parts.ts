/** The repositories a change set touches, submodules before what contains them, and what each needs for its trees. */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf, type WreckitError } from '../errors.ts';
import { type BytePath, bytesOfPath } from './byte-path.ts';
import type { Change, ChangeSet } from './change-set.ts';
import { findRepository, type GitRepository, gitAt, readTree, type TreeEntry } from './git-repository.ts';
import { repositoryOf } from './ignored-paths.ts';
import type { Gitlink, TreeRequest } from './land-tree.ts';
import type { RecordedRepository } from './sprite-record.ts';

/** What was made of a submodule's changes. */
export interface LandedCommit {
  readonly at: BytePath;
  readonly base: string | null;
  readonly commit: string;
}

/** One repository of the project and the changes in it. */
export interface Part {
  readonly recorded: RecordedRepository;
  readonly repository: GitRepository;
  readonly changes: readonly Change[];
  /** Of submodules that were landed before. */
  gitlinks(): Gitlink[];
}

/** Innermost first. */
export async function partsOf(
  changeSet: ChangeSet,
  landed: readonly LandedCommit[],
  signal: AbortSignal | undefined,
): Promise<Part[]> {
  const places = changeSet.repositories.map(({ at }) => at).filter((at) => at !== '');
  const innermostFirst = [...changeSet.repositories].sort((a, b) => b.at.length - a.at.length);
  const parts: Part[] = [];
  for (const recorded of innermostFirst) {
    const dir =
      recorded.at === '' ? changeSet.root : path.join(changeSet.root, bytesOfPath(recorded.at).toString());
    const found = await findRepository(dir, signal);
    if (found.kind !== 'repository') throw noRepository(dir);
    const others = places.filter((at) => at !== recorded.at && at.startsWith(recorded.at));
    parts.push({
      recorded,
      repository: found.repository,
      changes: changeSet.changes.filter(({ path: name }) => repositoryOf(name, places) === recorded.at),
      gitlinks: () =>
        landed
          .filter(({ at }) => others.includes(at) && repositoryOf(at.slice(0, -1), others) === '')
          .map(({ at, base, commit: after }) => ({
            path: found.repository.prefix + at.slice(recorded.at.length, -1),
            before: base,
            after,
          })),
    });
  }
  return parts;
}

function noRepository(dir: string): WreckitError {
  return errorOf('SPRITE_SYNC_FAILED', `land on a branch: ${quote(dir)} is not a git repository`, {
    hint: 'land it as a patch, or in the working tree: --land patch, --land apply',
  });
}

export async function requestOf(
  { recorded, repository, changes }: Part,
  changeSet: ChangeSet,
  work: string,
  signal: AbortSignal | undefined,
): Promise<Omit<TreeRequest, 'gitlinks'>> {
  const { prefix } = repository;
  const workDir = fs.mkdtempSync(path.join(work, 'tree-'));
  const headTree = new Map<BytePath, TreeEntry>();
  if (recorded.head !== null) {
    for (const [name, entry] of await readTree(repository, recorded.head, signal))
      headTree.set(prefix + name, entry);
  }
  return {
    changeSet,
    changes,
    toTreePath: (name) => prefix + name.slice(recorded.at.length),
    head: recorded.head,
    headTree,
    objectFormat: repository.objectFormat,
    at: { ...gitAt(repository), signal },
    workDir,
    lfsDir: path.join(repository.commonDir, 'lfs'),
  };
}

export function makeWorkDir({ dir }: ChangeSet): string {
  return fs.mkdtempSync(path.join(dir, 'land-'));
}
