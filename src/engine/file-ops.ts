/** Files of a sprite. */
import type { FileEntry } from '../contract/schemas.ts';
import type { Waiting } from './waiting.ts';

export interface FileOptions extends Waiting {
  /** Who reaches the files: `sprite` when absent; `root` is the sprite's root, never the host's. */
  readonly user?: 'sprite' | 'root' | undefined;
}

/** Paths are absolute inside the sprite; every call runs inside it. Throws `PATH_INVALID`, with `details.errno`. */
export interface FileOps {
  read(name: string, path: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
  write(
    name: string,
    path: string,
    content: AsyncIterable<Uint8Array>,
    options?: WriteOptions,
  ): Promise<{ sizeBytes: number }>;
  /** A directory's entries, or the one entry of what is no directory. Links are not followed below it. */
  list(name: string, path: string, options?: ListOptions): Promise<FileEntry[]>;
  remove(name: string, path: string, options?: { recursive?: boolean } & FileOptions): Promise<void>;
  makeDir(name: string, path: string, options?: FileOptions): Promise<void>;
  move(name: string, from: string, to: string, options?: FileOptions): Promise<void>;
  /** `to` is the copy's own name, never a directory to copy into; what is there is replaced, or merged into. */
  copy(name: string, from: string, to: string, options?: CopyOptions): Promise<CopyResult>;
  chmod(
    name: string,
    path: string,
    mode: string,
    options?: { recursive?: boolean } & FileOptions,
  ): Promise<void>;
  /** Links themselves are given away, not what they lead to. */
  chown(
    name: string,
    path: string,
    owner: FileOwner,
    options?: { recursive?: boolean } & FileOptions,
  ): Promise<void>;
  /** Until `signal`. Changes that follow each other at once may show as one. */
  watch(name: string, paths: readonly string[], options: WatchOptions): AsyncIterable<FileChange>;
  /** Unpacks a tar stream below `path`, which is made. */
  unpack(name: string, path: string, tar: AsyncIterable<Uint8Array>, options?: FileOptions): Promise<void>;
  /** A tar stream of `path` (a directory's contents, or one file). The caller must not trust its members. */
  pack(name: string, path: string, options?: FileOptions): AsyncIterable<Uint8Array>;
}

export interface ReadOptions extends FileOptions {
  /** First byte wanted; 0 when absent. */
  readonly start?: number | undefined;
  /** First byte not wanted. */
  readonly end?: number | undefined;
}

export interface WriteOptions extends FileOptions {
  /** Octal text; "0644" when absent. Parents are made. */
  readonly mode?: string | undefined;
}

export interface ListOptions extends FileOptions {
  /** The whole tree below, each directory before what it holds. */
  readonly recursive?: boolean | undefined;
  /** Only names (the last part of the path) that match: `*`, `?`, `[a-z]`. */
  readonly pattern?: string | undefined;
}

export interface CopyOptions extends FileOptions {
  /** Needed for a directory. */
  readonly recursive?: boolean | undefined;
  /** Modes, times and, for root, owners as well. */
  readonly preserve?: boolean | undefined;
}

export interface CopyResult {
  /** Files, links and directories. */
  readonly entries: number;
  /** Of the files among them. */
  readonly sizeBytes: number;
}

/** A number, or a name of the sprite's own `/etc/passwd` and `/etc/group`. At least one is given. */
export interface FileOwner {
  readonly uid?: number | string | undefined;
  readonly gid?: number | string | undefined;
}

export interface WatchOptions extends FileOptions {
  /** Directories with all below them, not only their entries. */
  readonly recursive?: boolean | undefined;
  /** Called once: changes from then on are seen. */
  readonly onReady?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

export interface FileChange {
  readonly path: string;
  readonly type: 'create' | 'write' | 'remove' | 'rename' | 'chmod';
  readonly isDir: boolean;
  readonly sizeBytes: number;
  readonly timeMs: number;
}
