/**
 * Who is doing something in a sprite: one small file each, `holds/<pid>-<n>` in the sprite's directory.
 *
 *   user      takes a hold, THEN looks whether the sprite stands still (and wakes it)
 *   sleeper   makes the sprite stand still, THEN looks for holds (and lets it go on)
 *
 * Whichever comes first, one of the two sees the other: nothing is ever started in a sprite that is being put to
 * sleep. A hold ends with its process, however that ends.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../../../process/identity.ts';
import { parseRecord } from '../sessions/session-state.ts';
import { readText } from '../sessions/small-file.ts';

const DIR = 'holds';

/** Throws the system error: `ENOENT` where the sprite's directory is gone. */
export function takeHold(spriteDir: string): Disposable {
  const file = join(spriteDir, DIR, `${process.pid}-${Math.random().toString(36).slice(2, 10)}`);
  const content = JSON.stringify(identify(process.pid));
  try {
    makeFile(file, content);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    // Never its parents: a sprite that is gone must not come back as an empty directory.
    makeDir(join(spriteDir, DIR));
    makeFile(file, content);
  }
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

function makeFile(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600, flag: 'wx' });
}

function makeDir(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Removes those of processes that have ended. */
export function isHeld(spriteDir: string): boolean {
  const dir = join(spriteDir, DIR);
  let isAnybodyThere = false;
  for (const name of namesIn(dir)) {
    const file = join(dir, name);
    const holder = parseRecord<ProcessIdentity>(readText(file));
    // Without content it is being written.
    if (holder === null ? isFresh(file) : isSameProcess(holder)) isAnybodyThere = true;
    else rmSync(file, { force: true });
  }
  return isAnybodyThere;
}

/** When a hold was last taken or let go; 0: never. */
export function lastHeldMs(spriteDir: string): number {
  return statSync(join(spriteDir, DIR), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const WRITING_MS = 5_000;

function isFresh(file: string): boolean {
  const changedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return changedAt !== undefined && Date.now() - changedAt < WRITING_MS;
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
