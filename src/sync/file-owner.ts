/** Run as root in somebody's project, files still belong to that somebody. */
import fs from 'node:fs';

/** Gives `file` (a link itself, not its target) to the owner of `like`. Does nothing unless run as root. */
export function giveToOwnerOf(like: string | Buffer, file: string | Buffer): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = fs.lstatSync(like);
  fs.lchownSync(file, uid, gid);
}
