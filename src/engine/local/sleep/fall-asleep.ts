/** The two ways to sleep, each with a last look before there is no way back. */
import type { SpriteRecord } from '../record.ts';
import { type Freezer, freeze, thaw } from './freezer.ts';

export interface Bedtime {
  readonly isIdle: () => boolean;
  /** Null: this machine has none for the sprite. */
  readonly freezer: Freezer | null;
  readonly write: (record: SpriteRecord) => void;
  readonly takeDown: () => Promise<void>;
}

/** The caller holds the sprite's lock. False: it stays as it is. */
export function fallAsleep(record: SpriteRecord, depth: 'warm' | 'cold', bedtime: Bedtime): Promise<boolean> {
  return depth === 'warm' ? hush(bedtime) : shutDown(record, bedtime);
}

async function hush({ freezer, isIdle }: Bedtime): Promise<boolean> {
  if (freezer === null || !(await freeze(freezer))) return false;
  if (isIdle()) return true;
  thaw(freezer);
  return false;
}

/** Said first: who comes now waits for the lock, and boots it again. */
async function shutDown(record: SpriteRecord, { isIdle, write, takeDown }: Bedtime): Promise<boolean> {
  write({ ...record, phase: 'stopping' });
  if (!isIdle()) {
    write(record);
    return false;
  }
  await takeDown();
  write({ ...record, init: null });
  return true;
}
