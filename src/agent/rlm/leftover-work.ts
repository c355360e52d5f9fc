/**
 * What agents changed in sprites they started and nobody pulled: saved as a patch before the sprite is removed, for
 * its disk is the only copy. A sprite whose work cannot be read is kept.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sprite } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import type { Change, ChangeSet } from '../../sync/change-set.ts';
import { openSyncDir, spriteDirOf } from '../../sync/sync-dir.ts';
import { DEFAULT_PROJECT_DIR, wispPort } from '../../sync/wisp-port.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';

/** What was pulled already: a branch or a patch that was made of it does not change what a later pull sees. */
export class PulledWork {
  readonly #seen = new Set<string>();

  add(sprite: string, { changes }: Pick<ChangeSet, 'changes'>): void {
    for (const change of changes) this.#seen.add(keyOf(sprite, change));
  }

  without(sprite: string, changes: readonly Change[]): Change[] {
    return changes.filter((change) => !this.#seen.has(keyOf(sprite, change)));
  }
}

function keyOf(sprite: string, { path, after, mode }: Change): string {
  return JSON.stringify([sprite, path, after, mode]);
}

export interface LeftoverOptions {
  readonly client: WispClient;
  /** The project on this machine. */
  readonly root: string;
  readonly owner: string;
  readonly sprites: readonly Sprite[];
  readonly pulled?: PulledWork | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Leftover {
  readonly sprite: string;
  /** null: there was no work in it that is not here. */
  readonly patchFile: string | null;
  /** Why the sprite has to stay; null: it may be removed. */
  readonly keptBecause: string | null;
}

/** Of each sprite the project was pushed to; those it was not have nothing that could be taken over. */
export async function saveLeftovers(options: LeftoverOptions): Promise<Leftover[]> {
  const saved: Leftover[] = [];
  if (!existsSync(options.root)) return saved;
  const sync = openSyncDir(options.root);
  for (const sprite of options.sprites) {
    if (!existsSync(join(spriteDirOf(sync, sprite.name), 'record.json'))) continue;
    saved.push(await saveOne(options, sprite, join(sync.path, 'unpulled')));
  }
  return saved;
}

async function saveOne(
  { client, root, owner, pulled, signal }: LeftoverOptions,
  { name, id, workdir }: Sprite,
  dir: string,
): Promise<Leftover> {
  try {
    const { pullChanges } = await import('../../sync/pull.ts');
    const { landChanges } = await import('../../sync/land.ts');
    const port = wispPort({
      client,
      name,
      id: id === '' ? null : id,
      dir: workdir === '' ? DEFAULT_PROJECT_DIR : workdir,
    });
    const all = await pullChanges({ root, port, signal });
    const changes = pulled?.without(name, all.changes) ?? all.changes;
    let patchFile: string | null = null;
    if (changes.length > 0) {
      mkdirSync(dir, { recursive: true });
      patchFile = join(dir, `${owner}-${name}.patch`);
      await landChanges({ changeSet: { ...all, changes }, mode: 'patch', patchFile, signal });
    }
    const isWhole = all.rejected.length === 0;
    return { sprite: name, patchFile, keptBecause: isWhole ? null : 'some of its files were not taken over' };
  } catch (error) {
    return {
      sprite: name,
      patchFile: null,
      keptBecause: `its work could not be read: ${toWreckitError(error).message}`,
    };
  }
}

/** For people. */
export function leftoverText({ sprite, patchFile, keptBecause }: Leftover): string | null {
  const patch = patchFile === null ? null : `its changes were not pulled: they are in ${patchFile}`;
  const kept = keptBecause === null ? null : `it is kept: ${keptBecause}`;
  const parts = [patch, kept].filter((part) => part !== null);
  return parts.length === 0 ? null : `sprite "${sprite}": ${parts.join('; ')}`;
}
