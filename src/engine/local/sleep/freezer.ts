/**
 * Holds all processes of a sprite still, and lets them go on: the freezer of its control group, version 1 or 2.
 * Written to directly, since the OCI runtimes go by the same files and starting one takes longer than the wake.
 */
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../../../errors.ts';
import { groupPaths } from '../cgroup.ts';
import type { Mount } from '../host-mounts.ts';

/** What is written where; both words are also what a shell that freezes needs to know. */
export interface Freezer {
  readonly file: string;
  readonly freeze: string;
  readonly thaw: string;
  readonly state: string;
  /** The line of `state` once everything stands still. */
  readonly frozenLine: string;
}

const FREEZE_MS = 2_000;
const LOOK_MS = 3;

/** Of the group `name`, of which process `pid` is a member. Null: there is none that may be written to. */
export function freezerOf(pid: number, name: string, mounts?: readonly Mount[]): Freezer | null {
  const pathOf = groupPaths(pid, name, mounts);
  const v1 = pathOf('freezer');
  if (v1 !== null) {
    const file = join(v1, 'freezer.state');
    return usable({ file, freeze: 'FROZEN', thaw: 'THAWED', state: file, frozenLine: 'FROZEN' });
  }
  const v2 = pathOf('');
  if (v2 === null) return null;
  const state = join(v2, 'cgroup.events');
  return usable({ file: join(v2, 'cgroup.freeze'), freeze: '1', thaw: '0', state, frozenLine: 'frozen 1' });
}

function usable(freezer: Freezer): Freezer | null {
  if (!existsSync(freezer.file)) return null;
  try {
    accessSync(freezer.file, constants.W_OK);
    return freezer;
  } catch (error) {
    if (errnoOf(error) !== undefined) return null;
    throw error;
  }
}

/** False: something could not be stopped in time (it waits for a disk, say), or is gone; nothing is held then. */
export async function freeze(freezer: Freezer): Promise<boolean> {
  const deadline = performance.now() + FREEZE_MS;
  for (;;) {
    // Again and again: version 1 wants to be told of processes that came while it froze the others.
    if (!tell(freezer, freezer.freeze)) return false;
    if (isFrozenNow(freezer)) return true;
    if (performance.now() > deadline) {
      thaw(freezer);
      return false;
    }
    await sleep(LOOK_MS);
  }
}

/** Returns when its processes may run. Of a group that is gone nothing is held. */
export function thaw(freezer: Freezer): void {
  tell(freezer, freezer.thaw);
}

/** False: the group is gone. */
function tell({ file }: Freezer, word: string): boolean {
  try {
    writeFileSync(file, word);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENODEV') return false;
    throw error;
  }
}

function isFrozenNow({ state, frozenLine }: Freezer): boolean {
  try {
    return readFileSync(state, 'utf8').split('\n').includes(frozenLine);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
