/** Single steps on the disk, each of which leaves a file old or new. None follows a link in a file's place. */
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../errors.ts';
import { type BytePath, bytesOfPath, hostPath } from './byte-path.ts';

/** Somebody's edit came between; what is here stays. */
export class EditedMeanwhile extends Error {}

export function isWithoutLinks(thrown: unknown): boolean {
  return ['EPERM', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(errnoOf(thrown) ?? '');
}

export function copyEntry(root: string, name: BytePath, to: string): void {
  const from = hostPath(root, name);
  const stat = fs.lstatSync(from);
  if (stat.isSymbolicLink()) {
    fs.symlinkSync(fs.readlinkSync(from, { encoding: 'buffer' }), to);
    return;
  }
  fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(to, stat.mode & 0o7777);
  fs.utimesSync(to, stat.atime, stat.mtime);
}

export function changeMode(target: string | Buffer, mode: number): void {
  const fd = fs.openSync(target, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
  try {
    fs.fchmodSync(fd, mode);
  } finally {
    fs.closeSync(fd);
  }
}

/** Never over something that came there meanwhile. */
export function createExclusively(
  target: string | Buffer,
  staged: string,
  after: { readonly kind: 'file' } | { readonly kind: 'symlink'; readonly target: BytePath },
): void {
  try {
    if (after.kind === 'symlink') fs.symlinkSync(bytesOfPath(after.target), target);
    else linkOrCopy(staged, target);
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') throw new EditedMeanwhile();
    throw thrown;
  }
}

function linkOrCopy(staged: string, target: string | Buffer): void {
  try {
    fs.linkSync(staged, target);
  } catch (thrown) {
    if (!isWithoutLinks(thrown)) throw thrown;
    // Another file system (a mounted submodule), or one without hard links.
    fs.copyFileSync(staged, target, fs.constants.COPYFILE_EXCL);
    fs.chmodSync(target, fs.statSync(staged).mode & 0o7777);
  }
}

export function makeStagedLink(staged: string, target: BytePath): void {
  fs.mkdirSync(path.dirname(staged), { recursive: true });
  fs.rmSync(staged, { force: true });
  fs.symlinkSync(bytesOfPath(target), staged);
}

/** One rename; across file systems a copy beside the target comes first. */
export function moveInto(staged: string, target: string | Buffer, unique: string): void {
  try {
    fs.renameSync(staged, target);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'EXDEV') throw thrown;
    const near = Buffer.concat([Buffer.from(target), Buffer.from(`.wreckit-${unique}`)]);
    fs.rmSync(near, { force: true });
    const stat = fs.lstatSync(staged);
    if (stat.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(staged, { encoding: 'buffer' }), near);
    else linkOrCopy(staged, near);
    fs.renameSync(near, target);
  }
}
