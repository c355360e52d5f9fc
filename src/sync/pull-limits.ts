/** How much a pull takes; beyond it a file stays in the sprite, or the whole pull is refused. */
import { formatBytes } from '../contract/units.ts';
import { errorOf } from '../errors.ts';
import type { Rejection } from './change-set.ts';
import type { SpriteChange } from './sprite-changes.ts';

export interface PullLimits {
  /** Of one file; 4 GiB when absent. A bigger one is left in the sprite. */
  readonly maxFileBytes?: number | undefined;
  /** Of all together; 16 GiB when absent. */
  readonly maxTotalBytes?: number | undefined;
  /** Changed and new files; 100,000 when absent. */
  readonly maxFiles?: number | undefined;
  /** Files the sprite's project has in all, ignored ones included; one million when absent. */
  readonly maxScannedFiles?: number | undefined;
}

export type WholeLimits = { readonly [K in keyof PullLimits]-?: number };

export function wholeLimits(limits: PullLimits = {}): WholeLimits {
  const { maxFileBytes, maxTotalBytes, maxFiles, maxScannedFiles } = limits;
  return {
    maxFileBytes: maxFileBytes ?? 4 * 1024 ** 3,
    maxTotalBytes: maxTotalBytes ?? 16 * 1024 ** 3,
    maxFiles: maxFiles ?? 100_000,
    maxScannedFiles: maxScannedFiles ?? 1_000_000,
  };
}

/** By the sizes of the scan; what comes is counted again. Throws `SPRITE_SYNC_FAILED` for too much in all. */
export function withinLimits(
  sprite: string,
  changes: readonly SpriteChange[],
  { maxFileBytes, maxTotalBytes, maxFiles }: WholeLimits,
  rejected: Rejection[],
): SpriteChange[] {
  const accepted = changes.filter(({ path, after }) => {
    if (after?.kind !== 'file' || after.sizeBytes <= maxFileBytes) return true;
    const reason = `has ${formatBytes(after.sizeBytes)}, at most ${formatBytes(maxFileBytes)} are taken`;
    rejected.push({ path, kind: 'too_large', reason });
    return false;
  });
  const sizes = accepted.map(({ after }) => (after?.kind === 'file' ? after.sizeBytes : 0));
  const totalBytes = sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  const isTooMuch = totalBytes > maxTotalBytes;
  if (!isTooMuch && accepted.length <= maxFiles) return accepted;
  const fault = isTooMuch
    ? `its changes have ${formatBytes(totalBytes)}, at most ${formatBytes(maxTotalBytes)} are taken`
    : `${accepted.length} files changed, at most ${maxFiles} are taken`;
  throw errorOf('SPRITE_SYNC_FAILED', `pull from sprite "${sprite}": ${fault}`, {
    hint: 'nothing was changed here and the sprite is kept; let git ignore what is not wanted there, then pull again',
    details: { file_count: accepted.length, total_bytes: totalBytes },
  });
}
