/** Where the parts of a sprite lie: on the host, and inside. */
import { join } from 'node:path';

/** Where a sprite finds the logs of its services, to read. */
export const SERVICE_LOGS = '/.sprite/logs/services';

export interface SpriteDirs {
  readonly dir: string;
  /** All that the sprite wrote, in one place: what a checkpoint copies and a restore replaces. */
  readonly disk: string;
  readonly rootfs: string;
  readonly bundle: string;
  readonly mnt: string;
  /** Of its services: written by the host alone. */
  readonly serviceLogs: string;
  upper(key: string): string;
  work(key: string): string;
}

export function spriteDirs(dir: string): SpriteDirs {
  const disk = join(dir, 'disk');
  return {
    dir,
    disk,
    rootfs: join(disk, 'rootfs'),
    bundle: join(dir, 'bundle'),
    mnt: join(dir, 'mnt'),
    serviceLogs: join(dir, 'service-logs'),
    upper: (key) => join(disk, 'upper', key),
    work: (key) => join(disk, 'work', key),
  };
}
