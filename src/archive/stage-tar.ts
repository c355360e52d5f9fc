/**
 * Unpacks a stream nobody vouches for into an empty private directory. The first member that could reach
 * outside, or is no plain file, directory or link, ends it; what was unpacked until then is the caller's to
 * remove. Directories stay 0700 until `applyDirectories`, so that read-only ones can be filled and moved.
 */
import fs from 'node:fs';
import { errnoOf, WreckitError } from '../errors.ts';
import { joinComponents, type PathComponents, safeComponents, symlinkFault } from './safe-path.ts';
import { printableName, type TarMember } from './tar-member.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

export interface StageLimits {
  /** Refused beyond; one million when absent. */
  readonly maxMembers?: number | undefined;
  /** Content of all files together; not limited when absent. */
  readonly maxTotalBytes?: number | undefined;
  /** The caller's own rule: a reason to refuse this member, such as `is inside .git`, or undefined. */
  readonly refuse?: ((member: TarMember, path: Buffer) => string | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StagedDirectory {
  /** Relative to the staging directory; empty for itself. */
  readonly path: Buffer;
  readonly mode: number;
  readonly mtimeSeconds: number | null;
}

export interface StagedTar {
  readonly memberCount: number;
  readonly totalBytes: number;
  /** False: the archive holds no member for its own root, so it was made from a single file or a list. */
  readonly hasRoot: boolean;
  /** In archive order, parents first. */
  readonly directories: readonly StagedDirectory[];
}

const DEFAULT_MAX_MEMBERS = 1_000_000;
const IMPLIED_DIRECTORY_MODE = 0o755;
/** Never setuid, setgid or sticky: who owns the file here is not who owned it there. */
const PERMISSION_BITS = 0o777;

/** Throws `PATH_INVALID` naming the member refused, `SPRITE_SYNC_FAILED` for a broken stream or full disk. */
export async function stageTar(
  stream: AsyncIterable<Uint8Array>,
  stagingDir: string,
  limits: StageLimits = {},
): Promise<StagedTar> {
  const stage = new Stage(stagingDir, limits);
  for await (const member of readTar(stream)) {
    limits.signal?.throwIfAborted();
    await stage.add(member);
  }
  return stage.result();
}

class Stage {
  readonly #root: Buffer;
  readonly #limits: StageLimits;
  /** By path as latin1, which is one to one for bytes. */
  readonly #directories = new Map<string, StagedDirectory>();
  #memberCount = 0;
  #totalBytes = 0;
  #hasRoot = false;

  constructor(stagingDir: string, limits: StageLimits) {
    this.#root = Buffer.from(stagingDir);
    this.#limits = limits;
  }

  result(): StagedTar {
    return {
      memberCount: this.#memberCount,
      totalBytes: this.#totalBytes,
      hasRoot: this.#hasRoot,
      directories: [...this.#directories.values()],
    };
  }

  async add(member: TarEntry): Promise<void> {
    const components = this.#verified(member);
    if (components.length === 0) {
      if (member.type !== 'directory') throw refused(member, 'is the root but no directory');
      this.#hasRoot = true;
      this.#remember(components, member);
      return;
    }
    try {
      this.#makeParents(components, member);
      await this.#make(member, components);
    } catch (thrown) {
      throw asArchiveError(thrown, member);
    }
  }

  #verified(member: TarEntry): PathComponents {
    const maxMembers = this.#limits.maxMembers ?? DEFAULT_MAX_MEMBERS;
    const maxTotalBytes = this.#limits.maxTotalBytes ?? Number.POSITIVE_INFINITY;
    this.#memberCount += 1;
    if (this.#memberCount > maxMembers) throw tooMuch(`more than ${maxMembers} members`);
    this.#totalBytes += member.sizeBytes;
    if (this.#totalBytes > maxTotalBytes) throw tooMuch(`more than ${maxTotalBytes} bytes of content`);
    const components = safeComponents(member.name);
    if (typeof components === 'string') throw refused(member, components);
    if (member.type === 'other') throw refused(member, `is of type ${describeType(member.typeFlag)}`);
    const reason = this.#limits.refuse?.(member, joinComponents(components));
    if (reason !== undefined) throw refused(member, reason);
    return components;
  }

  async #make(member: TarEntry, components: PathComponents): Promise<void> {
    const path = this.#at(components);
    switch (member.type) {
      case 'directory':
        if (!this.#directories.has(keyOf(components))) fs.mkdirSync(path, { mode: 0o700 });
        this.#remember(components, member);
        return;
      case 'file':
        await this.#writeFile(path, member);
        return;
      case 'symlink': {
        const fault = symlinkFault(member.linkName, components.length - 1);
        if (fault !== null) throw refused(member, fault);
        fs.symlinkSync(member.linkName, path);
        return;
      }
      case 'hardlink':
        fs.linkSync(this.#hardlinkTarget(member), path);
        return;
      case 'other':
        throw refused(member, `is of type ${describeType(member.typeFlag)}`);
    }
  }

  /** The calls are synchronous: a small file costs a tenth of what the thread pool takes for it. */
  async #writeFile(path: Buffer, member: TarEntry): Promise<void> {
    const fd = fs.openSync(path, 'wx', member.mode & PERMISSION_BITS);
    try {
      for await (const chunk of member.content) {
        this.#limits.signal?.throwIfAborted();
        for (let written = 0; written < chunk.length; ) {
          written += fs.writeSync(fd, chunk, written, chunk.length - written);
        }
      }
      const mtime = Math.max(0, member.mtimeSeconds);
      fs.futimesSync(fd, mtime, mtime);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** A regular file of this archive, reached through directories of this archive. */
  #hardlinkTarget(member: TarEntry): Buffer {
    const shown = printableName(member.linkName);
    const target = safeComponents(member.linkName);
    if (typeof target === 'string' || target.length === 0) {
      throw refused(member, `is a hard link to ${shown}, which is not in the archive`);
    }
    const isReachable = target.every(
      (_, depth) => depth === 0 || this.#directories.has(keyOf(target.slice(0, depth))),
    );
    const path = this.#at(target);
    const isFile = isReachable && fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
    if (!isFile)
      throw refused(member, `is a hard link to ${shown}, which is not an earlier file of the archive`);
    return path;
  }

  #makeParents(components: PathComponents, member: TarEntry): void {
    for (let depth = 1; depth < components.length; depth += 1) {
      const parent = components.slice(0, depth);
      if (this.#directories.has(keyOf(parent))) continue;
      try {
        fs.mkdirSync(this.#at(parent), { mode: 0o700 });
      } catch (thrown) {
        if (errnoOf(thrown) !== 'EEXIST') throw thrown;
        throw refused(
          member,
          `lies below ${printableName(joinComponents(parent))}, which is not a directory`,
        );
      }
      this.#remember(parent, { mode: IMPLIED_DIRECTORY_MODE, mtimeSeconds: null });
    }
  }

  #remember(components: PathComponents, facts: { mode: number; mtimeSeconds: number | null }): void {
    const { mode, mtimeSeconds } = facts;
    this.#directories.set(keyOf(components), {
      path: joinComponents(components),
      mode: mode & PERMISSION_BITS,
      mtimeSeconds,
    });
  }

  #at(components: PathComponents): Buffer {
    return Buffer.concat([this.#root, Buffer.from('/'), joinComponents(components)]);
  }
}

function keyOf(components: PathComponents): string {
  return joinComponents(components).toString('latin1');
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  '3': 'character device',
  '4': 'block device',
  '6': 'FIFO',
  S: 'sparse file',
  sparse: 'sparse file',
};

function describeType(typeFlag: string): string {
  return TYPE_NAMES[typeFlag] ?? JSON.stringify(typeFlag);
}

function refused(member: TarMember, reason: string): WreckitError {
  const name = printableName(member.name);
  return new WreckitError('PATH_INVALID', `archive member: ${name} ${reason}`, {
    hint: 'nothing was changed here; take that member away in the sprite, or take the archive itself and judge it: wisp pull NAME SRC - > files.tar',
    details: { member: Buffer.from(member.name).toString('utf8') },
  });
}

function tooMuch(what: string): WreckitError {
  return new WreckitError('SPRITE_SYNC_FAILED', `archive: has ${what}`);
}

function asArchiveError(thrown: unknown, member: TarMember): unknown {
  const errno = errnoOf(thrown);
  if (thrown instanceof WreckitError || errno === undefined) return thrown;
  if (errno === 'EEXIST') return refused(member, 'is there twice, or differs from another in case only');
  return new WreckitError(
    'SPRITE_SYNC_FAILED',
    `archive member: ${printableName(member.name)} could not be written: ${errno}`,
    { details: { errno }, cause: thrown },
  );
}
