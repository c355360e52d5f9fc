/**
 * Change sets as git trees: for each repository of the project the tree as it was pushed and the tree with the
 * changes, written with plumbing through an index of their own. Neither the user's index nor any file of the
 * working tree is touched.
 *
 * Of what was not committed when it was pushed, the tree before holds only the files that were changed: so the
 * difference between the two trees is exactly what the sprite did.
 */
import fs from 'node:fs';
import path from 'node:path';
import { type BytePath, bytesOfPath } from './byte-path.ts';
import { blobFile, type Change, type ChangeSet } from './change-set.ts';
import { type EntryState, gitModeOf } from './entry-state.ts';
import { type GitOptions, gitBytes, gitLine, splitNul } from './git.ts';
import type { TreeEntry } from './git-repository.ts';
import { lfsPointerOf } from './lfs-pointer.ts';
import { hashContent } from './read-content.ts';

export interface TreeRequest {
  readonly changeSet: ChangeSet;
  /** Of this repository, paths of the project. */
  readonly changes: readonly Change[];
  /** From a path of the project to one of the repository. */
  readonly toTreePath: (path: BytePath) => BytePath;
  /** Submodules with a commit of their own for the change. */
  readonly gitlinks: readonly Gitlink[];
  /** Commit the project was at; null: none yet. */
  readonly head: string | null;
  /** Entries of that commit, by path of the repository. */
  readonly headTree: ReadonlyMap<BytePath, TreeEntry>;
  readonly objectFormat: 'sha1' | 'sha256';
  /** Where git runs: repository, object store. */
  readonly at: GitOptions;
  /** For the index and other temporary files. */
  readonly workDir: string;
  /** `lfs/` of the repository: content of files that git-lfs manages goes there; null: it goes into git. */
  readonly lfsDir: string | null;
}

export interface Gitlink {
  /** Of the repository. */
  readonly path: BytePath;
  readonly before: string | null;
  readonly after: string;
}

export interface TreePair {
  /** As pushed, as far as the changes are concerned. */
  readonly before: string;
  readonly after: string;
  /** The tree before is the commit's own: nothing uncommitted is entangled with the changes. */
  readonly isCommitted: boolean;
  readonly warnings: readonly string[];
}

export async function writeTrees(request: TreeRequest): Promise<TreePair> {
  const { head, workDir } = request;
  fs.mkdirSync(workDir, { recursive: true });
  const at: GitOptions = {
    ...request.at,
    cwd: workDir,
    workTree: workDir,
    env: { ...request.at.env, GIT_INDEX_FILE: path.join(workDir, 'index') },
  };
  const writer = new TreeWriter({ ...request, at });
  await gitBytes(head === null ? ['read-tree', '--empty'] : ['read-tree', head], at);
  const headTree = await writeTree(at);
  const { isLfs, oids } = await writer.prepare();
  await writer.update(await writer.linesBefore(isLfs, oids));
  const before = await writeTree(at);
  await writer.update(await writer.linesAfter(isLfs, oids));
  const after = await writeTree(at);
  return { before, after, isCommitted: before === headTree, warnings: writer.warnings };
}

/** Objects that a partial clone lacks need not be fetched for it. */
async function writeTree(at: GitOptions): Promise<string> {
  return await gitLine(['write-tree', '--missing-ok'], at);
}

interface Prepared {
  readonly isLfs: ReadonlySet<BytePath>;
  /** Git blob of each file below `blobs/` that is used as it is. */
  readonly oids: ReadonlyMap<string, string>;
}

class TreeWriter {
  readonly warnings: string[] = [];
  readonly #request: TreeRequest;
  #tempCount = 0;

  constructor(request: TreeRequest) {
    this.#request = request;
  }

  async prepare(): Promise<Prepared> {
    const isLfs = await this.#findLfs();
    const { changes, changeSet, at } = this.#request;
    const blobs = new Set<string>();
    for (const { path: name, beforeBlob, afterBlob } of changes) {
      if (isLfs.has(name)) continue;
      for (const blob of [beforeBlob, afterBlob]) if (blob !== null) blobs.add(blob);
    }
    const names = [...blobs];
    const cwd = path.join(changeSet.dir, 'blobs');
    const oids = await hashFiles({ ...at, cwd, workTree: cwd }, names);
    return { isLfs, oids: new Map(names.map((name, index) => [name, oids[index] ?? ''])) };
  }

  /** Files that git-lfs manages, by the attributes of the commit. */
  async #findLfs(): Promise<Set<BytePath>> {
    const { changes, toTreePath, at, lfsDir } = this.#request;
    const names = changes.map(({ path: name }) => name);
    if (lfsDir === null || names.length === 0) return new Set();
    const stdin = bytesOfPath(names.map((name) => `${toTreePath(name)}\0`).join(''));
    const fields = splitNul(
      await gitBytes(['check-attr', '--cached', '--stdin', '-z', 'filter'], { ...at, stdin }),
    );
    return new Set(names.filter((_, index) => fields[index * 3 + 2] === 'lfs'));
  }

  async linesBefore(isLfs: ReadonlySet<BytePath>, oids: Prepared['oids']): Promise<string[]> {
    const lines: string[] = [];
    for (const { path: name, before } of this.#request.gitlinks) {
      if (before !== null) lines.push(`160000 ${before}\t${name}`);
    }
    for (const change of this.#request.changes) {
      const name = this.#request.toTreePath(change.path);
      if (change.before === null) {
        if (this.#request.headTree.has(name)) lines.push(this.#removal(name));
        continue;
      }
      const oid = await this.#oidBefore(change, isLfs.has(change.path), oids);
      if (oid === null) this.warnings.push(`${name}: its content before was too big to be kept`);
      else lines.push(`${gitModeOf(change.before)} ${oid}\t${name}`);
    }
    return lines;
  }

  async linesAfter(isLfs: ReadonlySet<BytePath>, oids: Prepared['oids']): Promise<string[]> {
    const { changes, gitlinks, toTreePath } = this.#request;
    const removals: string[] = [];
    const lines = gitlinks.map(({ path: name, after }) => `160000 ${after}\t${name}`);
    for (const change of changes) {
      const name = toTreePath(change.path);
      if (change.after === null) removals.push(this.#removal(name));
      else {
        const oid = await this.#oidAfter(change, change.after, isLfs.has(change.path), oids);
        if (oid !== null) lines.push(`${gitModeOf(change.after)} ${oid}\t${name}`);
      }
    }
    return [...removals, ...lines];
  }

  async #oidBefore(change: Change, isLfs: boolean, oids: Prepared['oids']): Promise<string | null> {
    const { before, beforeOid, beforeBlob } = change;
    if (before?.kind === 'symlink') return await this.#hashText(before.target);
    if (beforeOid !== null) return beforeOid;
    if (before !== null && isLfs) return await this.#hashText(lfsPointerOf(before));
    return beforeBlob === null ? null : this.#normalised(change, beforeBlob, oids);
  }

  async #oidAfter(
    change: Change,
    after: EntryState,
    isLfs: boolean,
    oids: Prepared['oids'],
  ): Promise<string | null> {
    const { before, beforeOid, afterBlob } = change;
    if (after.kind === 'symlink') return await this.#hashText(after.target);
    const isModeOnly = before?.kind === 'file' && before.sha256 === after.sha256;
    if (isModeOnly && beforeOid !== null) return beforeOid;
    if (isLfs && !(afterBlob !== null && this.#isPointer(afterBlob))) {
      if (afterBlob !== null) this.#storeInLfs(after.sha256, afterBlob);
      return await this.#hashText(lfsPointerOf(after));
    }
    if (isLfs && afterBlob !== null) return (await this.#hash([afterBlob]))[0] ?? null;
    return afterBlob === null ? null : this.#normalised(change, afterBlob, oids);
  }

  /**
   * Where the commit has the same text with other line ends than the working tree (`core.autocrlf`, `eol`
   * attributes), the commit's are used for what was changed, too.
   */
  async #normalised(change: Change, blob: string, oids: Prepared['oids']): Promise<string | null> {
    const { changeSet, headTree, toTreePath, objectFormat } = this.#request;
    const committed = headTree.get(toTreePath(change.path));
    const oid = oids.get(blob) ?? null;
    if (committed === undefined || change.beforeBlob === null || change.beforeOid !== null) return oid;
    const before = withLineFeeds(fs.readFileSync(blobFile(changeSet, change.beforeBlob)));
    if (before === null || hashContent(before, objectFormat).gitOid !== committed.oid) return oid;
    const content = fs.readFileSync(blobFile(changeSet, blob));
    return await this.#hashBytes(withLineFeeds(content) ?? content);
  }

  #isPointer(blob: string): boolean {
    const file = blobFile(this.#request.changeSet, blob);
    return (
      fs.statSync(file).size < 1024 && fs.readFileSync(file, 'latin1').startsWith('version https://git-lfs')
    );
  }

  /** As git-lfs itself lays content away when it is added. */
  #storeInLfs(sha256: string, blob: string): void {
    const { lfsDir, changeSet } = this.#request;
    if (lfsDir === null) return;
    const dir = path.join(lfsDir, 'objects', sha256.slice(0, 2), sha256.slice(2, 4));
    const file = path.join(dir, sha256);
    if (fs.existsSync(file)) return;
    fs.mkdirSync(dir, { recursive: true });
    const temporary = `${file}.${process.pid}.tmp`;
    fs.copyFileSync(blobFile(changeSet, blob), temporary, fs.constants.COPYFILE_FICLONE);
    fs.renameSync(temporary, file);
  }

  async #hashText(text: string): Promise<string> {
    return await this.#hashBytes(bytesOfPath(text));
  }

  async #hashBytes(bytes: Uint8Array): Promise<string> {
    const name = `content-${this.#tempCount}`;
    this.#tempCount += 1;
    fs.writeFileSync(path.join(this.#request.workDir, name), bytes);
    return (await hashFiles(this.#request.at, [name]))[0] ?? '';
  }

  async #hash(blobs: readonly string[]): Promise<string[]> {
    const cwd = path.join(this.#request.changeSet.dir, 'blobs');
    return await hashFiles({ ...this.#request.at, cwd, workTree: cwd }, blobs);
  }

  #removal(name: BytePath): string {
    return `0 ${'0'.repeat(this.#request.objectFormat === 'sha256' ? 64 : 40)}\t${name}`;
  }

  async update(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const stdin = bytesOfPath(lines.map((line) => `${line}\0`).join(''));
    const args = ['update-index', '--add', '--remove', '--replace', '-z', '--index-info'];
    await gitBytes(args, { ...this.#request.at, stdin });
  }
}

/** Written as git blobs, byte for byte, in order. Names are ours: no line ends in them. */
async function hashFiles(at: GitOptions, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const stdin = Buffer.from(names.map((name) => `${name}\n`).join(''));
  const args = ['hash-object', '-w', '--no-filters', '--stdin-paths'];
  return (await gitBytes(args, { ...at, stdin })).toString('latin1').trim().split('\n');
}

/** Null where there is no carriage return, or it is no text. */
function withLineFeeds(content: Buffer): Buffer | null {
  if (!content.includes('\r\n') || content.includes(0)) return null;
  return Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}
