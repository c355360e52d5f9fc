/** What of the project differs from what the sprite was given last. */
import { type BytePath, bytesOfPath } from './byte-path.ts';
import { type FileState, gitModeOf } from './entry-state.ts';
import type { TreeEntry } from './git-repository.ts';
import type { PlannedEntry, PlannedFile, PushPlan, StatKey } from './push-plan.ts';
import { type ContentHashes, type GitHash, hashContent, hashFile } from './read-content.ts';
import type { ManifestEntry, SpriteRecord } from './sprite-record.ts';
import { isBefore } from './sprite-scan.ts';

export interface HostChanges {
  /** New or different here. Hashed only where a record or a filled sprite made it necessary. */
  readonly changed: readonly ChangedEntry[];
  /** As recorded; their stat keys are today's. */
  readonly same: ReadonlyMap<BytePath, ManifestEntry>;
  /** In the record, but not sent any more: deleted here, or kept back now. */
  readonly removed: readonly BytePath[];
  /** Some file had to be read to see that it is the same. */
  readonly isRefreshed: boolean;
}

export interface ChangedEntry {
  readonly planned: PlannedEntry;
  /** Null: not read yet. */
  readonly hashes: ContentHashes | null;
}

/** The project's HEAD trees, submodules included, by path of the project. */
export type HeadTrees = ReadonlyMap<BytePath, TreeEntry>;

/**
 * A clock tick of the kernel is 10 ms at most: a file changed that shortly before it was hashed may have
 * changed again within the same tick. File systems without fractions of seconds need two seconds.
 */
const TICK_NS = 20_000_000n;
const COARSE_NS = 2_000_000_000n;

export function findHostChanges(
  plan: PushPlan,
  record: SpriteRecord | null,
  gitHash: GitHash | null,
  signal?: AbortSignal,
): HostChanges {
  const changed: ChangedEntry[] = [];
  const same = new Map<BytePath, ManifestEntry>();
  let isRefreshed = false;
  const trust = record === null ? null : new StatTrust(record.hashedAtNs);
  for (const planned of plan.entries) {
    const before = record?.entries.get(planned.path);
    if (before === undefined || before.kind !== planned.kind) {
      changed.push({ planned, hashes: null });
    } else if (planned.kind === 'symlink' || before.kind === 'symlink') {
      const isSame =
        before.kind === 'symlink' && planned.kind === 'symlink' && before.target === planned.target;
      if (isSame) same.set(planned.path, before);
      else changed.push({ planned, hashes: null });
    } else if (before.stat !== null && trust?.isSame(before.stat, planned.stat) === true) {
      same.set(planned.path, before);
    } else {
      signal?.throwIfAborted();
      const read = hashFile(plan.root, planned.path, gitHash);
      if (read === null) continue;
      const isExecutable = isExecutableMode(read.stat.mode);
      const isSame = read.sha256 === before.sha256 && isExecutable === before.isExecutable;
      isRefreshed = true;
      if (isSame) same.set(planned.path, { ...before, gitOid: read.gitOid, stat: read.stat });
      else changed.push({ planned: { ...planned, stat: read.stat }, hashes: read });
    }
  }
  const kept = new Set(changed.map(({ planned }) => planned.path));
  const removed = [...(record?.entries.keys() ?? [])].filter((path) => !same.has(path) && !kept.has(path));
  return { changed, same, removed, isRefreshed };
}

/** Whether an unchanged stat means unchanged content. */
export class StatTrust {
  readonly #tickBefore: string;
  readonly #coarseBefore: string;

  constructor(hashedAtNs: string) {
    const hashedAt = BigInt(hashedAtNs);
    this.#tickBefore = String(hashedAt - TICK_NS);
    this.#coarseBefore = String(hashedAt - COARSE_NS);
  }

  isSame(before: StatKey, now: StatKey): boolean {
    const isEqual =
      before.mtimeNs === now.mtimeNs &&
      before.ctimeNs === now.ctimeNs &&
      before.sizeBytes === now.sizeBytes &&
      before.ino === now.ino &&
      before.mode === now.mode;
    if (!isEqual) return false;
    const isCoarse = now.ctimeNs.endsWith('000000000');
    return isBefore(now.ctimeNs, isCoarse ? this.#coarseBefore : this.#tickBefore);
  }
}

export function isExecutableMode(mode: number): boolean {
  return (mode & 0o100) !== 0;
}

export function fileStateOf(planned: PlannedFile, hashes: ContentHashes): FileState {
  const { mode, sizeBytes } = planned.stat;
  return { kind: 'file', isExecutable: isExecutableMode(mode), sizeBytes, sha256: hashes.sha256 };
}

/** Whether the commit has the very same content, type and executable bit at this path. */
export function isInHead(
  path: BytePath,
  entry: ManifestEntry,
  trees: HeadTrees,
  gitHash: GitHash | null,
): boolean {
  const committed = trees.get(path);
  if (committed === undefined || gitHash === null || committed.mode !== gitModeOf(entry)) return false;
  if (entry.kind === 'file') return committed.oid === entry.gitOid;
  return committed.oid === hashContent(bytesOfPath(entry.target), gitHash).gitOid;
}
