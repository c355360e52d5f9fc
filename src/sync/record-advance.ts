/**
 * After a landing in the working tree both sides agree on what the sprite changed: that becomes the base of the
 * next comparison. The record before it is kept with the landing, for undo.
 */
import fs from 'node:fs';
import path from 'node:path';
import { BaseReader, BaseWriter, baseFileOf, removeOldBases } from './base-store.ts';
import { blobFile, type Change, type ChangeSet } from './change-set.ts';
import type { FileState } from './entry-state.ts';
import { statKeyAt } from './host-state.ts';
import { hashContent, hashFile, openFile, WHOLE_FILE_BYTES } from './read-content.ts';
import {
  loadRecord,
  type ManifestEntry,
  recordFileOf,
  type SpriteRecord,
  saveRecord,
} from './sprite-record.ts';
import { newId, type SyncDir, spriteDirOf } from './sync-dir.ts';
import { holdLock } from './sync-lock.ts';

function keptDirOf(landingDir: string): string {
  return path.join(landingDir, 'record');
}

/** Does nothing where the sprite was pushed to since: the change set is about an older record. */
export async function advanceRecord(
  sync: SyncDir,
  changeSet: ChangeSet,
  signal?: AbortSignal,
): Promise<void> {
  const spriteDir = spriteDirOf(sync, changeSet.sprite);
  if (!fs.existsSync(recordFileOf(spriteDir))) return;
  using _lock = await holdLock(path.join(spriteDir, 'lock'), {
    what: `sprite "${changeSet.sprite}"`,
    signal,
  });
  const record = loadRecord(spriteDir);
  if (record === null || record.token !== changeSet.token) return;
  const baseId = newId();
  using previous = new BaseReader(baseFileOf(spriteDir, record.baseId));
  using base = new BaseWriter(baseFileOf(spriteDir, baseId), previous);
  const entries = new Map<string, ManifestEntry>();
  for (const [name, entry] of record.entries) {
    const isKept = entry.kind === 'file' && entry.baseAt !== null;
    entries.set(
      name,
      isKept ? { ...entry, baseAt: base.carryOver(entry.baseAt ?? 0, entry.sizeBytes) } : entry,
    );
  }
  for (const change of changeSet.changes) {
    const entry = entryAfter(changeSet, record, change, base);
    if (entry === null) entries.delete(change.path);
    else entries.set(change.path, entry);
  }
  base.finish();
  saveRecord(spriteDir, { ...record, baseId, entries });
  removeOldBases(spriteDir, baseId);
}

function entryAfter(
  changeSet: ChangeSet,
  record: SpriteRecord,
  { path: name, after, before, afterBlob }: Change,
  base: BaseWriter,
): ManifestEntry | null {
  if (after === null) return null;
  if (after.kind === 'symlink') return { ...after, isInHead: false };
  const known = record.entries.get(name);
  const isSameContent = before?.kind === 'file' && before.sha256 === after.sha256 && known?.kind === 'file';
  const stat = statKeyAt(changeSet.root, name);
  if (isSameContent) {
    const baseAt = known.baseAt ?? keepFromHere(changeSet, name, after, base);
    return { ...known, isExecutable: after.isExecutable, isInHead: false, baseAt, stat };
  }
  const blob = afterBlob === null ? null : blobFile(changeSet, afterBlob);
  const gitHash = record.repositories[0]?.objectFormat ?? null;
  const read = blob === null ? null : hashFile(path.dirname(blob), path.basename(blob), gitHash);
  const isSmall = blob !== null && after.sizeBytes <= WHOLE_FILE_BYTES;
  return {
    ...after,
    stat,
    gitOid: read?.gitOid ?? null,
    isInHead: false,
    baseAt: isSmall ? base.add(fs.readFileSync(blob)) : null,
  };
}

/** Of a file whose mode alone has changed, so that no commit has just that any more. */
function keepFromHere(changeSet: ChangeSet, name: string, after: FileState, base: BaseWriter): number | null {
  using file = openFile(changeSet.root, name);
  if (file === null || file.stat.sizeBytes > WHOLE_FILE_BYTES) return null;
  const content = file.whole();
  return hashContent(content, null).sha256 === after.sha256 ? base.add(content) : null;
}

/** A second name for the record and its base file, which are replaced and never written to. */
export function keepRecord(sync: SyncDir, changeSet: ChangeSet, landingDir: string): void {
  const spriteDir = spriteDirOf(sync, changeSet.sprite);
  const record = loadRecord(spriteDir);
  if (record === null || record.token !== changeSet.token) return;
  const dir = keptDirOf(landingDir);
  fs.mkdirSync(dir, { recursive: true });
  copyOrLink(recordFileOf(spriteDir), recordFileOf(dir));
  copyOrLink(baseFileOf(spriteDir, record.baseId), baseFileOf(dir, record.baseId));
}

/** Only where the sprite was not pushed to since. */
export function restoreRecord(sync: SyncDir, sprite: string, landingDir: string): void {
  const dir = keptDirOf(landingDir);
  const spriteDir = spriteDirOf(sync, sprite);
  const kept = fs.existsSync(recordFileOf(dir)) ? loadRecord(dir) : null;
  const record = loadRecord(spriteDir);
  if (kept === null || record === null || record.token !== kept.token) return;
  copyOrLink(baseFileOf(dir, kept.baseId), baseFileOf(spriteDir, kept.baseId));
  saveRecord(spriteDir, kept);
  removeOldBases(spriteDir, kept.baseId);
}

function copyOrLink(from: string, to: string): void {
  if (!fs.existsSync(from) || fs.existsSync(to)) return;
  try {
    fs.linkSync(from, to);
  } catch {
    // No hard links here; what is wrong otherwise, the copy reports.
    fs.copyFileSync(from, to);
  }
}
