/**
 * A tar stream of a sprite into a directory of the host: staged, verified, then moved into place. Until the
 * whole archive has been verified nothing in the target directory changes.
 */
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, WreckitError } from '../errors.ts';
import { type StagedDirectory, type StagedTar, type StageLimits, stageTar } from './stage-tar.ts';
import { printableName } from './tar-member.ts';

export interface ExtractReport {
  readonly memberCount: number;
  readonly totalBytes: number;
  /** What was made or filled: the target directory, or the one file. */
  readonly path: string;
}

/**
 * `target` like the last argument of `cp -R`: an archive of a directory's contents fills `target` (made when
 * missing; what is there already is kept or replaced, file by file); an archive of one file becomes the file
 * `target`, or goes into it where it is a directory. Throws `PATH_INVALID` and `SPRITE_SYNC_FAILED`.
 */
export async function extractSafely(
  stream: AsyncIterable<Uint8Array>,
  target: string,
  limits: StageLimits = {},
): Promise<ExtractReport> {
  const isDirectory = fs.statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
  const stagingDir = makeStagingDir(isDirectory ? target : path.dirname(path.resolve(target)));
  try {
    const staged = await stageTar(stream, stagingDir, limits);
    const { memberCount, totalBytes } = staged;
    const place = staged.hasRoot ? moveTree(staged, stagingDir, target) : moveMembers(stagingDir, target);
    return { memberCount, totalBytes, path: place };
  } catch (thrown) {
    throw asTargetError(thrown, target);
  } finally {
    fs.rmSync(stagingDir, { recursive: true, force: true });
  }
}

/** Next to where the files go, so that they can be moved by renaming. */
function makeStagingDir(parent: string): string {
  try {
    fs.mkdirSync(parent, { recursive: true });
    return fs.mkdtempSync(path.join(parent, '.wisp-pull-'));
  } catch (thrown) {
    throw asTargetError(thrown, parent);
  }
}

function moveTree(staged: StagedTar, stagingDir: string, target: string): string {
  const moves = planMoves(Buffer.from(stagingDir), Buffer.from(target));
  fs.mkdirSync(target, { recursive: true });
  const made = new Set<string>();
  for (const { from, to, kind } of moves) {
    if (kind === 'rename') fs.renameSync(from, to);
    else if (kind === 'make') {
      fs.mkdirSync(to, { mode: 0o700 });
      made.add(to.toString('latin1'));
    }
  }
  const isNew = (at: Buffer): boolean => made.has(at.toString('latin1'));
  applyDirectories(staged.directories, Buffer.from(target), isNew);
  return target;
}

/** An archive without a root member: one file, named as the user wishes, or a list below `target`. */
function moveMembers(stagingDir: string, target: string): string {
  const names = fs.readdirSync(stagingDir, { encoding: 'buffer' });
  const [only] = names;
  if (names.length !== 1 || only === undefined) {
    throw new WreckitError('SPRITE_SYNC_FAILED', `archive: has ${names.length} roots, one was expected`);
  }
  const isInto = target.endsWith('/') || fs.statSync(target, { throwIfNoEntry: false })?.isDirectory();
  const to = isInto === true ? below(Buffer.from(target), only) : Buffer.from(target);
  if (fs.lstatSync(to, { throwIfNoEntry: false })?.isDirectory() === true) throw inTheWay(to, 'a directory');
  if (isInto === true) fs.mkdirSync(target, { recursive: true });
  fs.renameSync(below(Buffer.from(stagingDir), only), to);
  return to.toString('utf8');
}

interface Move {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly kind: 'rename' | 'make';
}

/** Every step of the merge; throws before the first one where something of the host is in the way. */
function planMoves(stagingDir: Buffer, target: Buffer): Move[] {
  const moves: Move[] = [];
  const merge = (fromDir: Buffer, toDir: Buffer): void => {
    // Not withFileTypes: with names as buffers Bun's entries have none.
    for (const name of fs.readdirSync(fromDir, { encoding: 'buffer' })) {
      const from = below(fromDir, name);
      const entry = fs.lstatSync(from);
      const to = below(toDir, name);
      const present = fs.lstatSync(to, { throwIfNoEntry: false });
      if (present?.isDirectory() === true && !entry.isDirectory()) throw inTheWay(to, 'a directory');
      if (!entry.isDirectory()) {
        moves.push({ from, to, kind: 'rename' });
        continue;
      }
      if (present?.isSymbolicLink() === true) throw inTheWay(to, 'a symbolic link');
      if (present !== undefined && !present.isDirectory()) throw inTheWay(to, 'a file');
      if (present === undefined) moves.push({ from, to, kind: 'make' });
      merge(from, to);
    }
  };
  merge(stagingDir, target);
  return moves;
}

/** Modes and times of the directories that are new here; deepest first, since a mode may shut one. */
function applyDirectories(
  directories: readonly StagedDirectory[],
  target: Buffer,
  isNew: (at: Buffer) => boolean,
): void {
  const byDepth = [...directories].sort((a, b) => b.path.length - a.path.length);
  for (const directory of byDepth) {
    const at = below(target, directory.path);
    if (directory.path.length === 0 || !isNew(at)) continue;
    if (directory.mtimeSeconds !== null) {
      const mtime = Math.max(0, directory.mtimeSeconds);
      fs.utimesSync(at, mtime, mtime);
    }
    fs.chmodSync(at, directory.mode & ~process.umask());
  }
}

function below(dir: Buffer, name: Buffer): Buffer {
  return Buffer.concat([dir, Buffer.from('/'), name]);
}

function inTheWay(at: Buffer, what: string): WreckitError {
  return new WreckitError('PATH_INVALID', `target: ${printableName(at)} is ${what} here`, {
    hint: 'nothing was changed; move it away, or give another target',
  });
}

function asTargetError(thrown: unknown, target: string): unknown {
  const errno = errnoOf(thrown);
  if (thrown instanceof WreckitError || errno === undefined) return thrown;
  const code = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'SPRITE_SYNC_FAILED' : 'PATH_INVALID';
  const shown = printableName(Buffer.from(target));
  return new WreckitError(code, `target: ${shown} can't be written: ${errno}`, {
    hint: 'give a directory of this machine that you may write to',
    details: { errno },
    cause: thrown,
  });
}
