import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';

/** Removes a directory with everything in it, also directories that their owner may not enter (mode 0). */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error;
    // Links met on the way are not followed by -R.
    spawnSync('chmod', ['-R', 'u+rwX', path]);
    rmSync(path, { recursive: true, force: true });
  }
}
