/**
 * Which agents run now with sprites of their own, and in which process: so that the sprites of one that was killed
 * without warning are found again (`wreckit sprite gc`).
 *
 *   STATE/trees/ENGINE/OWNER.json    written before the first sprite is made, removed at the end of the run
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../contract/json-value.ts';
import { errnoOf } from '../errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../process/identity.ts';
import { writeDurably } from '../sync/durable.ts';
import { engineScope, stateDir } from './state-dir.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface TreeFacts {
  /** The `owner` of its sprites. */
  readonly owner: string;
  readonly projectRoot: string;
  /** The sprite the first agent works in; null: it works on this machine. */
  readonly mainSprite: string | null;
}

export interface LedgerPlace {
  readonly env: Env;
  /** The bundled one when absent. */
  readonly wispPath?: string | undefined;
}

export interface DeadTree extends TreeFacts {
  readonly createdAt: string;
  /** Its sprites are gone, or are no longer its own. */
  forget(): void;
}

/** Until disposed. Where processes can't be told apart nothing is written. */
export function enterTree(facts: TreeFacts, place: LedgerPlace): Disposable {
  const self = identify(process.pid);
  if (self === null) return { [Symbol.dispose]: () => undefined };
  const dir = dirOf(place);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `${facts.owner}.json`);
  const { owner, projectRoot, mainSprite } = facts;
  const document = { version: 1, owner, project_root: projectRoot, main_sprite: mainSprite, process: self };
  writeDurably(file, [JSON.stringify({ ...document, created_at: new Date().toISOString() }), '\n']);
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/** Those whose process is gone. */
export function deadTrees(place: LedgerPlace): DeadTree[] {
  const dir = dirOf(place);
  return entriesOf(dir).flatMap((name) => {
    const file = join(dir, name);
    const tree = readTree(file);
    if (tree === null || isSameProcess(tree.process)) return [];
    return [{ ...tree.facts, createdAt: tree.createdAt, forget: () => rmSync(file, { force: true }) }];
  });
}

function dirOf({ env, wispPath }: LedgerPlace): string {
  return join(stateDir(env), 'trees', engineScope(env, wispPath));
}

function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** null: it is being removed, or is none. */
function readTree(file: string): { facts: TreeFacts; process: ProcessIdentity; createdAt: string } | null {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
  if (!isObject(document) || !isObject(document.process)) return null;
  const { owner, project_root: projectRoot, main_sprite: main, created_at: createdAt } = document;
  const { pid, startTime, bootId } = document.process;
  if (typeof owner !== 'string' || typeof projectRoot !== 'string' || typeof pid !== 'number') return null;
  return {
    facts: { owner, projectRoot, mainSprite: typeof main === 'string' ? main : null },
    process: { pid, startTime: String(startTime), bootId: String(bootId) },
    createdAt: String(createdAt),
  };
}
