/** A disk of its own for one test, small enough to be filled. Mounting it takes root. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../process/run.ts';
import { eventually } from './eventually.ts';

export interface SmallDisk {
  readonly path: string;
  freeBytes(): number;
  /** Leaves this much room for everybody. */
  fill(leftBytes: number): void;
  makeRoom(): void;
}

/** Calls `use` with the directory `path` on a disk of `sizeMib`. */
export async function withSmallDisk<T>(
  path: string,
  sizeMib: number,
  use: (disk: SmallDisk) => Promise<T>,
): Promise<T> {
  mkdirSync(path, { recursive: true });
  await run(['mount', '-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=0700`, 'tmpfs', path]);
  const ballast = join(path, 'ballast');
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  try {
    return await use({
      path,
      freeBytes,
      fill: (leftBytes) => {
        const size = (statSync(ballast, { throwIfNoEntry: false })?.size ?? 0) + freeBytes() - leftBytes;
        const { status, stderr } = spawnSync('fallocate', ['-l', String(size), ballast]);
        if (status !== 0) throw new Error(String(stderr));
      },
      makeRoom: () => rmSync(ballast, { force: true }),
    });
  } finally {
    await eventually(() => spawnSync('umount', [path]).status === 0, { what: `${path} to be let go of` });
  }
}
