/** What of the project differs from what the sprite was given last. */
import { type BytePath, bytesOfPath } from './byte-path.ts';
import { type FileState, gitModeOf } from './entry-state.ts';
import type { TreeEntry } from './git-repository.ts';
import type { PlannedEntry, PlannedFile, PushPlan, StatKey } from './push-plan.ts';
import { type ContentHashes, type GitHash, hashContent, hashFile } from './read-content.ts';
import type { ManifestEntry, SpriteRecord } from './sprite-record.ts';

export interface HostChanges {
  /** New or different here. Hashed only where a record or a filled sprite made it necessary. */
  readonly changed: readonly ChangedEntry[];
  /** As recorded; their stat keys are today's. */
  readonly same: ReadonlyMap<BytePath, ManifestEntry>;
  /** In the record, but not sent any more: deleted here, or kept back now. */
  readonly removed: readonly BytePath[];
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
const TICK_MS = 20;
const COARSE_MS = 2000;

export function findHostChanges(
  plan: PushPlan,
  record: SpriteRecord | null,
  gitHash: GitHash | null,
  signal?: AbortSignal,
): HostChanges {
  const changed: ChangedEntry[] = [];
  const same = new Map<BytePath, ManifestEntry>();
  const hashedAtMs = record?.hashedAtMs ?? 0;
  for (const planned of plan.entries) {
    const before = record?.entries.get(planned.path);
    if (before === undefined || before.kind !== planned.kind) {
      changed.push({ planned, hashes: null });
    } else if (planned.kind === 'symlink' || before.kind === 'symlink') {
      const isSame =
        before.kind === 'symlink' && planned.kind === 'symlink' && before.target === planned.target;
      if (isSame) same.set(planned.path, before);
      else changed.push({ planned, hashes: null });
    } else if (before.stat !== null && isTrusted(before.stat, planned.stat, hashedAtMs)) {
      same.set(planned.path, before);
    } else {
      signal?.throwIfAborted();
      const read = hashFile(plan.root, planned.path, gitHash);
      if (read === null) continue;
      const isExecutable = isExecutableMode(read.stat.mode);
      const isSame = read.sha256 === before.sha256 && isExecutable === before.isExecutable;
      if (isSame) same.set(planned.path, { ...before, gitOid: read.gitOid, stat: read.stat });
      else changed.push({ planned: { ...planned, stat: read.stat }, hashes: read });
    }
  }
  const kept = new Set(changed.map(({ planned }) => planned.path));
  const removed = [...(record?.entries.keys() ?? [])].filter((path) => !same.has(path) && !kept.has(path));
  return { changed, same, removed };
}

/** Whether an unchanged stat means unchanged content. */
export function isTrusted(before: StatKey, now: StatKey, hashedAtMs: number): boolean {
  const isEqual =
    before.mtimeMs === now.mtimeMs &&
    before.ctimeMs === now.ctimeMs &&
    before.sizeBytes === now.sizeBytes &&
    before.ino === now.ino &&
    before.mode === now.mode;
  if (!isEqual) return false;
  return now.ctimeMs + (now.ctimeMs % 1000 === 0 ? COARSE_MS : TICK_MS) < hashedAtMs;
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
