/** What of a sprite's tree differs from the record, sorted into changes and what is not taken. */
import { type BytePath, parentsOf } from './byte-path.ts';
import type { Rejection } from './change-set.ts';
import { isSameState } from './entry-state.ts';
import { isPrivateToHost, pathFault } from './path-safety.ts';
import { compilePatterns } from './patterns.ts';
import type { SpritePort } from './sprite-port.ts';
import type { ManifestEntry, SpriteRecord } from './sprite-record.ts';
import type { ScannedEntry, SpriteScan } from './sprite-scan.ts';
import { spriteStates } from './sprite-states.ts';

export interface SpriteChange {
  readonly path: BytePath;
  readonly before: ManifestEntry | null;
  /** As the scan saw it; null: deleted. */
  readonly after: Exclude<ScannedEntry, { kind: 'special' }> | null;
  /** The content is the same: only the executable bit differs. */
  readonly isModeOnly: boolean;
}

export interface SpriteComparison {
  readonly changes: readonly SpriteChange[];
  readonly rejected: readonly Rejection[];
  /** Names the record doesn't have; whether git would track them is not decided yet. */
  readonly added: readonly BytePath[];
  /** Left out by a pattern. */
  readonly excludedCount: number;
}

export async function findSpriteChanges(
  port: SpritePort,
  record: SpriteRecord,
  scan: SpriteScan,
  signal?: AbortSignal,
): Promise<SpriteComparison> {
  const changes: SpriteChange[] = [];
  const rejected: Rejection[] = [];
  const unreadable = new Set(scan.unreadable);
  const states = await spriteStates(port, { scan, record, paths: record.entries.keys(), signal });
  for (const [path, before] of record.entries) {
    const found = scan.entries.get(path);
    const state = states.get(path) ?? null;
    if (found === undefined) {
      const shut =
        unreadable.size > 0 ? [...parentsOf(path)].find((parent) => unreadable.has(parent)) : undefined;
      if (shut === undefined) changes.push({ path, before, after: null, isModeOnly: false });
    } else if (found.kind === 'special' || state?.kind === 'special') {
      rejected.push({ path, kind: 'special', reason: 'was replaced by a device, FIFO or socket' });
    } else if (state?.kind === 'changed') {
      changes.push({ path, before, after: found, isModeOnly: false });
    } else if (state !== null && !isSameState(state, before)) {
      const isModeOnly = state.kind === 'file' && before.kind === 'file' && state.sha256 === before.sha256;
      changes.push({ path, before, after: found, isModeOnly });
    }
  }
  for (const path of scan.unreadable) {
    rejected.push({ path, kind: 'unreadable', reason: 'is a directory that the sprite does not let read' });
  }
  return { changes, rejected, ...findAdded(record, scan, rejected) };
}

function findAdded(
  record: SpriteRecord,
  scan: SpriteScan,
  rejected: Rejection[],
): { added: BytePath[]; excludedCount: number } {
  const keptBack = new Set(record.keptBack);
  const excluded = compilePatterns(record.exclude);
  const added: BytePath[] = [];
  let excludedCount = 0;
  for (const path of scan.entries.keys()) {
    if (record.entries.has(path)) continue;
    const fault = pathFault(path);
    if (fault !== null) rejected.push({ path, kind: 'unsafe_name', reason: fault });
    else if (isPrivateToHost(path)) {
      rejected.push({ path, kind: 'private', reason: 'is what wreckit keeps for itself on this machine' });
    } else if (!excluded.isEmpty && excluded.match(path) !== null) excludedCount += 1;
    else if (keptBack.has(path)) {
      rejected.push({ path, kind: 'kept_back', reason: 'stands for a file that stayed on this machine' });
    } else added.push(path);
  }
  return { added, excludedCount };
}
