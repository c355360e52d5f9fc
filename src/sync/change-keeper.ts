/** Makes a change of the change set out of what was found, with the content before it beside the new one. */
import fs from 'node:fs';
import path from 'node:path';
import { BaseReader, baseFileOf } from './base-store.ts';
import type { Change } from './change-set.ts';
import { type EntryState, isSameContent, isSameState } from './entry-state.ts';
import { hashContent } from './read-content.ts';
import type { SpriteChange } from './sprite-changes.ts';
import type { FetchedFile } from './sprite-fetch.ts';
import type { ManifestEntry, SpriteRecord } from './sprite-record.ts';

export interface KeeperContext {
  readonly dir: string;
  readonly spriteDir: string;
  readonly record: SpriteRecord;
}

export class ChangeKeeper {
  readonly #dir: string;
  readonly #base: BaseReader;
  readonly #files: ReadonlyMap<string, FetchedFile>;
  #keptCount = 0;

  constructor({ dir, spriteDir, record }: KeeperContext, files: ReadonlyMap<string, FetchedFile>) {
    this.#dir = dir;
    this.#base = new BaseReader(baseFileOf(spriteDir, record.baseId));
    this.#files = files;
  }

  close(): void {
    this.#base[Symbol.dispose]();
  }

  /** Null: it turned out to be no change. `unread`: its content did not come. */
  changeOf({ path: name, before, after, isModeOnly }: SpriteChange): Change | null | 'unread' {
    const beforeOid = before?.isInHead === true && before.kind === 'file' ? before.gitOid : null;
    const common = {
      path: name,
      before: stateOf(before),
      beforeOid,
      beforeBlob: null,
      afterBlob: null,
      mode: null,
    };
    if (after === null) return { ...common, after: null, beforeBlob: this.#keepBefore(before) };
    if (after.kind === 'symlink') {
      return {
        ...common,
        after: { kind: 'symlink', target: after.target },
        beforeBlob: this.#keepBefore(before),
      };
    }
    const isExecutable = (after.mode & 0o100) !== 0;
    if (isModeOnly && before?.kind === 'file') {
      const { sizeBytes, sha256 } = before;
      const state: EntryState = { kind: 'file', isExecutable, sizeBytes, sha256 };
      const kept = this.#keepBefore(before);
      return { ...common, after: state, mode: after.mode, beforeBlob: kept, afterBlob: kept };
    }
    const file = this.#files.get(name);
    if (file === undefined) return 'unread';
    const { sizeBytes, sha256, blob } = file;
    const state: EntryState = { kind: 'file', isExecutable, sizeBytes, sha256 };
    if (isSameState(state, common.before)) return null;
    const kept = this.#keepBefore(before);
    const afterBlob = isSameContent(state, common.before) ? (kept ?? blob) : blob;
    return { ...common, after: state, mode: after.mode, beforeBlob: kept, afterBlob };
  }

  /** A copy of content that no commit has; null where git has it, or it was too big to be kept. */
  #keepBefore(before: ManifestEntry | null): string | null {
    if (before?.kind !== 'file' || before.isInHead || before.baseAt === null) return null;
    const content = this.#base.read(before.baseAt, before.sizeBytes);
    if (content === null || hashContent(content, null).sha256 !== before.sha256) return null;
    const blob = `b${this.#keptCount}`;
    this.#keptCount += 1;
    fs.writeFileSync(path.join(this.#dir, 'blobs', blob), content, { flag: 'wx', mode: 0o600 });
    return blob;
  }
}

function stateOf(entry: ManifestEntry | null): EntryState | null {
  if (entry === null) return null;
  if (entry.kind === 'symlink') return { kind: 'symlink', target: entry.target };
  const { isExecutable, sizeBytes, sha256 } = entry;
  return { kind: 'file', isExecutable, sizeBytes, sha256 };
}
