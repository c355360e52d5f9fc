/** Ids of runs: sortable by time, unique, fit for a branch, a directory and a sprite's name. */
import { randomBytes } from 'node:crypto';

/** `20260102-030405-4f9a1c` (UTC). */
export function newRunId(now = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${randomBytes(3).toString('hex')}`;
}

const RUN_ID = /^\d{8}-\d{6}-[0-9a-f]{6}$/;

/** Of the sprite that is made for a run alone; fits the rules for names, whatever the id is. */
export function spriteNameOf(runId: string): string {
  return `run-${runId}`
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, 63)
    .replace(/-+$/, '');
}

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}
