/** The files of a push as members of its tar stream; what was really sent becomes the manifest. */
import type { TarInput } from '../archive/tar-writer.ts';
import type { BaseWriter } from './base-store.ts';
import { type BytePath, bytesOfPath } from './byte-path.ts';
import { fileStateOf, type HeadTrees, isInHead } from './host-changes.ts';
import type { PlannedEntry, PlannedFile } from './push-plan.ts';
import { ContentHasher, type GitHash, type OpenedFile, openFile, WHOLE_FILE_BYTES } from './read-content.ts';
import type { ManifestEntry } from './sprite-record.ts';
import type { OnSyncProgress } from './sync-progress.ts';

interface Member extends TarInput {
  readonly content?: Iterable<Uint8Array> | undefined;
}

export interface PushStreamOptions {
  readonly root: string;
  readonly entries: readonly PlannedEntry[];
  readonly trees: HeadTrees;
  readonly gitHash: GitHash | null;
  readonly base: BaseWriter;
  readonly onProgress?: OnSyncProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class PushStream {
  /** Complete when the members were read to their end. */
  readonly manifest = new Map<BytePath, ManifestEntry>();
  readonly #options: PushStreamOptions;
  #sentBytes = 0;
  #sentFiles = 0;

  constructor(options: PushStreamOptions) {
    this.#options = options;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  *members(): Generator<Member> {
    for (const entry of this.#options.entries) {
      this.#options.signal?.throwIfAborted();
      const member = entry.kind === 'symlink' ? this.#link(entry.path, entry.target) : this.#file(entry);
      if (member === null) continue;
      yield member;
      this.#sentFiles += 1;
      this.#report();
    }
  }

  /** Records an entry the sprite has already. */
  adopt(entry: PlannedEntry): void {
    const member = entry.kind === 'symlink' ? this.#link(entry.path, entry.target) : this.#file(entry);
    for (const chunk of member?.content ?? []) this.#sentBytes -= chunk.length;
  }

  #link(path: BytePath, target: BytePath): Member {
    const link = { kind: 'symlink', target, isInHead: false } as const;
    const { trees, gitHash } = this.#options;
    this.manifest.set(path, { ...link, isInHead: isInHead(path, link, trees, gitHash) });
    return {
      name: bytesOfPath(path),
      type: 'symlink',
      mode: 0o777,
      mtimeSeconds: Math.floor(Date.now() / 1000),
      sizeBytes: 0,
      linkName: bytesOfPath(target),
    };
  }

  /** Null: it is gone by now, and so it is not part of what was sent. */
  #file({ path }: PlannedFile): Member | null {
    const file = openFile(this.#options.root, path);
    if (file === null) return null;
    const { mode, sizeBytes, mtimeMs } = file.stat;
    return {
      name: bytesOfPath(path),
      type: 'file',
      // No setuid, setgid, sticky bits; never unreadable to the sprite's own user.
      mode: (mode & 0o777) | 0o600,
      mtimeSeconds: Math.floor(mtimeMs / 1000),
      sizeBytes,
      content: sizeBytes <= WHOLE_FILE_BYTES ? [this.#whole(path, file)] : this.#pieces(path, file),
    };
  }

  #whole(path: BytePath, file: OpenedFile): Buffer {
    using opened = file;
    const content = opened.whole();
    const hasher = new ContentHasher(content.length, this.#options.gitHash);
    hasher.update(content);
    this.#remember(path, file, hasher, content);
    this.#sentBytes += content.length;
    return content;
  }

  *#pieces(path: BytePath, file: OpenedFile): Generator<Uint8Array> {
    using opened = file;
    const hasher = new ContentHasher(opened.stat.sizeBytes, this.#options.gitHash);
    for (const chunk of opened.chunks()) {
      this.#options.signal?.throwIfAborted();
      hasher.update(chunk);
      this.#sentBytes += chunk.length;
      this.#report();
      yield chunk;
    }
    this.#remember(path, file, hasher, null);
  }

  #remember(path: BytePath, { stat }: OpenedFile, hasher: ContentHasher, content: Buffer | null): void {
    const hashes = hasher.digest();
    const entry = {
      ...fileStateOf({ path, kind: 'file', stat }, hashes),
      stat,
      gitOid: hashes.gitOid,
      isInHead: false,
      baseAt: null,
    };
    const isCommitted = isInHead(path, entry, this.#options.trees, this.#options.gitHash);
    const baseAt = isCommitted || content === null ? null : this.#options.base.add(content);
    this.manifest.set(path, { ...entry, isInHead: isCommitted, baseAt });
  }

  #report(): void {
    this.#options.onProgress?.({
      phase: 'send',
      filesDone: this.#sentFiles,
      filesTotal: this.#options.entries.length,
      bytesDone: this.#sentBytes,
      bytesTotal: null,
    });
  }
}
