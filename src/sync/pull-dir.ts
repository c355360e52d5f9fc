/** Directories of change sets. */
import fs from 'node:fs';
import path from 'node:path';

const KEPT_PULLS = 10;

/** The newest few are kept: they can be landed again. */
export function prunePulls(dir: string): void {
  if (!fs.existsSync(dir)) return;
  const old = fs
    .readdirSync(dir)
    .sort()
    .slice(0, -(KEPT_PULLS - 1));
  for (const id of old) fs.rmSync(path.join(dir, id), { recursive: true, force: true });
}

/** A directory of the caller's may hold more than the change set. */
export function removeParts(dir: string, isOwn: boolean): void {
  const parts = isOwn ? [dir] : [path.join(dir, 'blobs'), path.join(dir, 'work')];
  for (const part of parts) fs.rmSync(part, { recursive: true, force: true });
}
