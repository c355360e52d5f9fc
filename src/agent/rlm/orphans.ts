/** Sprites of agents whose process was killed: their work is saved, then they are removed. */
import type { GcItem, Sprite } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import { type DeadTree, deadTrees, type LedgerPlace } from '../tree-ledger.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';

export interface OrphanOptions {
  readonly client: WispClient;
  readonly place: LedgerPlace;
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface OrphanReport {
  readonly removed: readonly GcItem[];
  readonly kept: readonly GcItem[];
}

/** A tree of another engine, which this one knows no sprites of, is remembered for so long. */
const UNKNOWN_TREE_MS = 7 * 24 * 3600 * 1000;

export async function collectOrphans({
  client,
  place,
  dryRun,
  signal,
}: OrphanOptions): Promise<OrphanReport> {
  const removed: GcItem[] = [];
  const kept: GcItem[] = [];
  const trees = deadTrees(place);
  if (trees.length === 0) return { removed, kept };
  const sprites = await client.list({}, { signal });
  for (const tree of trees) {
    const own = sprites.filter(({ owner }) => owner === tree.owner);
    if (own.length === 0) {
      if (!dryRun && Date.now() - Date.parse(tree.createdAt) > UNKNOWN_TREE_MS) tree.forget();
      continue;
    }
    const children = own.filter(({ name }) => name !== tree.mainSprite);
    if (children.length < own.length) kept.push(mainItem(tree));
    const stay = await removeChildren(tree, children, { client, place, dryRun, signal }, removed, kept);
    if (!dryRun && stay === 0 && children.length === own.length) tree.forget();
  }
  return { removed, kept };
}

/** The work of the run itself is the user's to take or leave. */
function mainItem({ owner, mainSprite, projectRoot }: DeadTree): GcItem {
  const reason = `its run was cut off: bring its work home (wreckit runs land ${owner}, in ${projectRoot}), or kill it`;
  return { kind: 'sprite', name: mainSprite ?? '', reason };
}

/** Resolves with how many had to stay. */
async function removeChildren(
  tree: DeadTree,
  children: readonly Sprite[],
  { client, dryRun, signal }: OrphanOptions,
  removed: GcItem[],
  kept: GcItem[],
): Promise<number> {
  const why = `the agent that started it was killed (run ${tree.owner})`;
  const item = (name: string, reason: string): GcItem => ({ kind: 'sprite', name, reason });
  if (dryRun) {
    removed.push(...children.map(({ name }) => item(name, why)));
    return 0;
  }
  const { saveLeftovers } = await import('./leftover-work.ts');
  const { forgetSprite } = await import('../../sync/forget-sprite.ts');
  const { owner, projectRoot: root } = tree;
  const saved = await saveLeftovers({ client, root, owner, sprites: children, signal });
  let stay = 0;
  for (const { name } of children) {
    const { keptBecause = null, patchFile = null } = saved.find(({ sprite }) => sprite === name) ?? {};
    try {
      if (keptBecause !== null) throw new Error(keptBecause);
      await client.kill([name], { signal });
      await forgetSprite(root, name, signal);
      removed.push(item(name, patchFile === null ? why : `${why}; its changes are in ${patchFile}`));
    } catch (error) {
      stay += 1;
      kept.push(item(name, `${why}; ${toWreckitError(error).message}`));
    }
  }
  return stay;
}
