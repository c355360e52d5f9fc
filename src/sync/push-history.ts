/** Which repositories a push brings along: all of them the first time, later those whose HEAD has moved. */
import fs from 'node:fs';
import path from 'node:path';
import type { TarInput } from '../archive/tar-writer.ts';
import type { BytePath } from './byte-path.ts';
import type { ProjectRepository } from './file-selection.ts';
import { readTree, type TreeEntry } from './git-repository.ts';
import { buildHistory, buildUnbornHistory } from './history.ts';
import type { HeadTrees } from './host-changes.ts';
import { compilePatterns } from './patterns.ts';
import type { PushPlan } from './push-plan.ts';
import type { RecordedRepository, SpriteRecord } from './sprite-record.ts';

export interface HistoryRequest {
  readonly plan: PushPlan;
  readonly trees: HeadTrees;
  readonly exclude: readonly string[];
  readonly record: SpriteRecord | null;
  /** Commit the sprite's own repository is at, by its own word. */
  readonly spriteHead: string | null;
  readonly depth: number | null;
  /** Made for this and removed by the caller. */
  readonly workDir: string;
  readonly signal?: AbortSignal | undefined;
}

export interface SentHistory {
  readonly entries: readonly TarInput[];
  readonly repositories: readonly RecordedRepository[];
  /** Null: nothing had to be sent. */
  readonly sent: { readonly commitCount: number; readonly withheldCount: number } | null;
  readonly warnings: readonly string[];
}

/** The trees of every repository's HEAD, by path of the project. */
export async function readHeadTrees(
  repositories: readonly ProjectRepository[],
  signal?: AbortSignal,
): Promise<HeadTrees> {
  const trees = new Map<BytePath, TreeEntry>();
  for (const { at, repository } of repositories) {
    if (repository.head === null) continue;
    for (const [name, entry] of await readTree(repository, repository.head, signal))
      trees.set(at + name, entry);
  }
  return trees;
}

export async function historyToSend(request: HistoryRequest): Promise<SentHistory> {
  const entries: TarInput[] = [];
  const repositories: RecordedRepository[] = [];
  const warnings: string[] = [];
  const built: { commitCount: number; withheldCount: number }[] = [];
  for (const [index, place] of request.plan.repositories.entries()) {
    const { head, headRef, objectFormat, prefix } = place.repository;
    const known = request.record?.repositories.find(({ at }) => at === place.at);
    const recorded = { at: place.at, head, headRef, objectFormat, shallow: known?.shallow ?? [] };
    const isThere = known !== undefined && request.record?.historyDepth === request.depth;
    if (prefix !== '' || (isThere && known.head === head && known.headRef === headRef)) {
      repositories.push(recorded);
      continue;
    }
    if (known !== undefined && place.at === '' && hasMovedOn(known, request.spriteHead)) {
      warnings.push('the sprite has commits of its own: its branch is left where it is');
      repositories.push({ ...recorded, head, headRef });
      continue;
    }
    const workDir = path.join(request.workDir, String(index));
    fs.mkdirSync(workDir);
    const history = await historyOf(place, workDir, request, known, warnings);
    entries.push(...history.entries);
    repositories.push({ ...recorded, shallow: history.shallow });
    built.push(history);
  }
  const sent =
    built.length === 0
      ? null
      : {
          commitCount: built.reduce((sum, { commitCount }) => sum + commitCount, 0),
          withheldCount: built.reduce((sum, { withheldCount }) => sum + withheldCount, 0),
        };
  return { entries, repositories, sent, warnings };
}

function hasMovedOn(known: RecordedRepository, spriteHead: string | null): boolean {
  return spriteHead !== null && spriteHead !== known.head;
}

async function historyOf(
  place: ProjectRepository,
  workDir: string,
  request: HistoryRequest,
  known: RecordedRepository | undefined,
  warnings: string[],
): ReturnType<typeof buildHistory> {
  const { plan, trees, depth, signal } = request;
  const excluded = compilePatterns(request.exclude);
  const sentPaths = new Set(plan.entries.map(({ path: name }) => name));
  const keptBack = new Set(plan.keptBack.map(({ path: name }) => name));
  const tree = new Map<BytePath, TreeEntry>();
  for (const [name, entry] of trees)
    if (name.startsWith(place.at)) tree.set(name.slice(place.at.length), entry);
  try {
    return await buildHistory(place, {
      depth,
      tree,
      isSent: (name) => sentPaths.has(place.at + name),
      isKeptBack: (name) => keptBack.has(place.at + name) || plan.sparse.has(place.at + name),
      isExcluded: (name) => !excluded.isEmpty && excluded.match(place.at + name) !== null,
      knownShallow: known?.shallow ?? [],
      workDir,
      signal,
    });
  } catch (thrown) {
    signal?.throwIfAborted();
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    warnings.push(`the history could not be packed, the sprite gets an empty repository: ${reason}`);
    return buildUnbornHistory(place);
  }
}
