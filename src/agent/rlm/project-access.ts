/** The user's project, for the tools that push it into sprites and pull changes back: all through src/sync. */
import { readFile } from 'node:fs/promises';
import type { Sprite } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { bytePathOfText, showPath } from '../../sync/byte-path.ts';
import type { ChangeSet } from '../../sync/change-set.ts';
import type { LandMode } from '../../sync/land.ts';
import { DEFAULT_PROJECT_DIR, wispPort } from '../../sync/wisp-port.ts';
import { landingSummary } from '../runs/landing-summary.ts';
import type { SpriteStartSpec, WispClient } from '../wisp-client/wisp-client.ts';
import type { PulledWork } from './leftover-work.ts';
import type { SpriteScope } from './sprite-scope.ts';

export interface ProjectAccess {
  /** On this machine. */
  readonly root: string;
  /** Where pulled changes go; `none`: nothing may be pulled. */
  readonly pull: LandMode;
  /** Of branches that are landed on; the change set's id is added. */
  readonly branchPrefix?: string | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** Remembers what was pulled, for the end of the run. */
  readonly pulled?: PulledWork | undefined;
}

const MAX_NAMED = 100;

async function pushInto(
  { root, include, exclude }: ProjectAccess,
  client: WispClient,
  sprite: Sprite,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { pushProject } = await import('../../sync/push.ts');
  const port = portOf(client, sprite);
  await pushProject({ root, port, include, exclude, isFresh: true, signal });
  return { dir: port.dir };
}

/** A new sprite with the project in it; one that did not get it is removed. Throws as `SpriteScope.spawn` does. */
export async function spawnWithProject(
  project: ProjectAccess,
  scope: SpriteScope,
  wanted: string | undefined,
  spec: SpriteStartSpec,
  signal: AbortSignal,
): Promise<{ sprite: Sprite; pushed: Record<string, unknown> }> {
  return await scope.tracked(async () => {
    const sprite = await scope.spawn(wanted, spec, { signal });
    try {
      return { sprite, pushed: await pushInto(project, scope.client, sprite, signal) };
    } catch (error) {
      // Without the project it is of no use to anybody; what went wrong first is what is told.
      await scope.kill([sprite.name]).catch(() => undefined);
      throw error;
    }
  });
}

/** Throws `SPRITE_SYNC_FAILED`, `PATH_INVALID`, `CONFLICT`. */
export async function pullPaths(
  { root, pull: mode, branchPrefix = 'wreckit/', pulled }: ProjectAccess,
  client: WispClient,
  sprite: Sprite,
  path: string | undefined,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const wanted = path === undefined ? null : projectPath(path, portOf(client, sprite).dir);
  const { pullChanges } = await import('../../sync/pull.ts');
  const all = await pullChanges({ root, port: portOf(client, sprite), signal });
  const changeSet = wanted === null ? all : only(all, wanted);
  const rejected = changeSet.rejected
    .slice(0, MAX_NAMED)
    .map((each) => `${showPath(each.path)} ${each.reason}`);
  const left = rejected.length === 0 ? {} : { left_in_sprite: rejected };
  if (changeSet.changes.length === 0) return { changed: [], note: 'nothing was changed there', ...left };
  const { landChanges } = await import('../../sync/land.ts');
  const landing = await landChanges({
    changeSet,
    mode,
    branch: `${branchPrefix}${sprite.name}-${changeSet.id}`,
    message: `Pull from sprite ${sprite.name}\n`,
    signal,
  });
  pulled?.add(sprite.name, changeSet);
  return {
    changed: changeSet.changes.slice(0, MAX_NAMED).map((change) => showPath(change.path)),
    ...(changeSet.changes.length > MAX_NAMED ? { omitted_paths: changeSet.changes.length - MAX_NAMED } : {}),
    landing: landingSummary(landing),
    ...left,
  };
}

function portOf(client: WispClient, { name, id, workdir }: Sprite) {
  return wispPort({
    client,
    name,
    id: id === '' ? null : id,
    dir: workdir === '' ? DEFAULT_PROJECT_DIR : workdir,
  });
}

function only(changeSet: ChangeSet, wanted: string): ChangeSet {
  const isWanted = ({ path }: { path: string }): boolean =>
    wanted === '' || path === wanted || path.startsWith(`${wanted}/`);
  const { changes, rejected } = changeSet;
  return { ...changeSet, changes: changes.filter(isWanted), rejected: rejected.filter(isWanted) };
}

/** Below the project, whether it was given as there, as in the sprite, or with a leading "./". */
function projectPath(path: string, dir: string): string {
  const below = path === dir ? '' : path.startsWith(`${dir}/`) ? path.slice(dir.length + 1) : path;
  const parts = below.split('/').filter((part) => part !== '' && part !== '.');
  if (below.startsWith('/') || parts.includes('..') || below.includes('\0')) {
    throw new WreckitError('PATH_INVALID', `pull: ${JSON.stringify(path)} is not a path below the project`, {
      hint: `give it as in the project, such as "src/index.js", or below ${dir}`,
    });
  }
  return bytePathOfText(parts.join('/'));
}

/** What was changed in the sprite's copy of the project, as a patch. Throws as `pullPaths` does. */
export async function diffOf(
  { root }: ProjectAccess,
  client: WispClient,
  sprite: Sprite,
  signal: AbortSignal,
): Promise<string> {
  const { pullChanges } = await import('../../sync/pull.ts');
  const { landChanges } = await import('../../sync/land.ts');
  const changeSet = await pullChanges({ root, port: portOf(client, sprite), signal });
  if (changeSet.changes.length === 0) return '';
  const { patch } = await landChanges({ changeSet, mode: 'patch', signal });
  return patch === null ? '' : await readFile(patch.file, 'utf8');
}
