/**
 * Tickets of starts under way, so that two at once can't both take the last free place under `maxVMs`.
 *
 * A ticket is a file with a number above all others there are. Making it is atomic, so of any two holders the
 * one with the higher number sees the other's ticket: nobody needs a lock, and nobody waits. A ticket ends
 * with its process; what a killed process left is recognised by its identity and removed.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../contract/json-value.ts';
import { errnoOf } from '../errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../process/identity.ts';
import { stateDir } from './state-dir.ts';

export interface StartTicket extends Disposable {
  /** Names of other sprites that are being started, by tickets taken before this one. */
  readonly earlier: ReadonlySet<string>;
}

interface Holder {
  readonly name: string;
  readonly process: ProcessIdentity;
}

type Env = Readonly<Record<string, string | undefined>>;

/** `scope` tells apart engines that know nothing of each other. Gone at the end of the scope. */
export function takeStartTicket(name: string, scope: string, env: Env): StartTicket {
  const dir = join(stateDir(env), 'starting', scope);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const self = identify(process.pid);
  // Where the system can't tell processes apart the list of sprites must do.
  if (self === null) return { earlier: new Set(), [Symbol.dispose]: () => undefined };
  const number = takeNumber(dir, JSON.stringify({ name, process: self }));
  const remove = (): void => rmSync(join(dir, String(number)), { force: true });
  try {
    return { earlier: namesBelow(dir, number, name), [Symbol.dispose]: remove };
  } catch (thrown) {
    remove();
    throw thrown;
  }
}

function takeNumber(dir: string, content: string): number {
  const draft = join(dir, `draft-${randomUUID()}`);
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      const number = highestIn(dir) + 1;
      if (!tryLink(draft, join(dir, String(number)))) continue;
      // The highest may have ended in between, and somebody who had seen it is above us: above them, then.
      if (highestIn(dir) === number) return number;
      rmSync(join(dir, String(number)), { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The content is there as soon as the name is. False: somebody else has it. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

function namesBelow(dir: string, number: number, own: string): Set<string> {
  const names = new Set<string>();
  for (const other of numbersIn(dir).filter((candidate) => candidate < number)) {
    const path = join(dir, String(other));
    const holder = holderOf(path);
    if (holder !== null && isSameProcess(holder.process)) names.add(holder.name);
    else rmSync(path, { force: true });
  }
  names.delete(own);
  return names;
}

function highestIn(dir: string): number {
  return Math.max(0, ...numbersIn(dir));
}

function numbersIn(dir: string): number[] {
  return readdirSync(dir).flatMap((entry) => (/^[1-9]\d{0,14}$/.test(entry) ? [Number(entry)] : []));
}

/** null: it is gone by now, or no ticket. */
function holderOf(path: string): Holder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const isHolder = isObject(value) && typeof value.name === 'string' && isObject(value.process);
    return isHolder ? (value as unknown as Holder) : null;
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT' || thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}
