/** The changes as a patch file for `git apply`, also outside git. */
import fs from 'node:fs';
import path from 'node:path';
import { type BytePath, bytesOfPath } from './byte-path.ts';
import type { ChangeSet } from './change-set.ts';
import { type DiffStat, diffStat, NEUTRAL_DIFF, sumOf } from './diff-trees.ts';
import { writeAll } from './durable.ts';
import { type GitOptions, git, gitFailure } from './git.ts';
import { makeWorkDir, partsOf, requestOf } from './land-parts.ts';
import { type TreePair, type TreeRequest, writeTrees } from './land-tree.ts';

export interface PatchOptions {
  readonly changeSet: ChangeSet;
  /** Replaced where it exists. */
  readonly file: string;
  readonly signal?: AbortSignal | undefined;
}

export interface PatchResult {
  readonly file: string;
  readonly stat: DiffStat;
  readonly warnings: readonly string[];
}

/** For `git apply`, also outside git. Nothing is written into the project's repository. */
export async function landPatch({ changeSet, file, signal }: PatchOptions): Promise<PatchResult> {
  const work = makeWorkDir(changeSet);
  const stats: DiffStat[] = [];
  const warnings: string[] = [];
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const fd = fs.openSync(temporary, 'w');
    try {
      for (const { request, prefix, at } of await patchRequests(changeSet, work, signal)) {
        if (request.changes.length === 0) continue;
        const pair = await writeTrees(request);
        warnings.push(...pair.warnings);
        stats.push(await diffStat(request.at, pair));
        await writeDiff(request.at, pair, { prefix, at, fd });
      }
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
    return { file, stat: sumOf(stats), warnings };
  } finally {
    fs.rmSync(temporary, { force: true });
    fs.rmSync(work, { recursive: true, force: true });
  }
}

interface PatchRequest {
  readonly request: TreeRequest;
  readonly prefix: BytePath;
  readonly at: BytePath;
}

async function patchRequests(
  changeSet: ChangeSet,
  work: string,
  signal: AbortSignal | undefined,
): Promise<PatchRequest[]> {
  if (changeSet.repositories.length === 0) {
    return [{ request: lentRequest(changeSet, work, signal), prefix: '', at: '' }];
  }
  const requests: PatchRequest[] = [];
  for (const part of await partsOf(changeSet, [], signal)) {
    const request = await requestOf(part, changeSet, work, signal);
    const { prefix } = part.repository;
    const lent = lentObjects(request.workDir, path.join(part.repository.commonDir, 'objects'));
    const at: GitOptions = { ...request.at, env: lent };
    requests.push({ request: { ...request, at, gitlinks: [], lfsDir: null }, prefix, at: part.recorded.at });
  }
  return requests;
}

/** New objects go to a directory of ours, those of the repository are read. */
function lentObjects(workDir: string, objects: string): Record<string, string> {
  const own = path.join(workDir, 'objects');
  fs.mkdirSync(own, { recursive: true });
  const quoted = `"${objects.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return { GIT_OBJECT_DIRECTORY: own, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted };
}

/** Outside git an empty repository is lent for it. */
function lentRequest(changeSet: ChangeSet, work: string, signal: AbortSignal | undefined): TreeRequest {
  const workDir = fs.mkdtempSync(path.join(work, 'tree-'));
  const gitDir = path.join(workDir, 'git');
  for (const part of ['objects', 'refs']) fs.mkdirSync(path.join(gitDir, part), { recursive: true });
  fs.writeFileSync(path.join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
  return {
    changeSet,
    changes: changeSet.changes,
    toTreePath: (name) => name,
    gitlinks: [],
    head: null,
    headTree: new Map(),
    objectFormat: 'sha1',
    at: { cwd: workDir, gitDir, workTree: workDir, signal },
    workDir,
    lfsDir: null,
  };
}

async function writeDiff(
  at: GitOptions,
  { before, after }: TreePair,
  where: { prefix: BytePath; at: BytePath; fd: number },
): Promise<void> {
  const place = bytesOfPath(where.at).toString('utf8');
  const relative = where.prefix === '' ? [] : [`--relative=${bytesOfPath(where.prefix).toString('utf8')}`];
  const names = [`--src-prefix=a/${place}`, `--dst-prefix=b/${place}`];
  const args = [
    'diff-tree',
    '-p',
    '--binary',
    '--full-index',
    ...NEUTRAL_DIFF,
    ...relative,
    ...names,
    before,
    after,
  ];
  const done = await git(args, { ...at, stdout: (chunk) => writeAll(where.fd, chunk) });
  if (done.failed) throw gitFailure(args, done, at.signal);
}
