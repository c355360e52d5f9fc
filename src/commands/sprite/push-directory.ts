/** A directory of this machine into a sprite through src/sync, and what there is to tell of it. */
import { createProgress } from '../../cli/progress.ts';
import { formatBytes } from '../../contract/units.ts';
import { showPath } from '../../sync/byte-path.ts';
import { type PushResult, pushProject } from '../../sync/push.ts';
import { describeKept, type KeptBack, type PushPlan, planPush } from '../../sync/push-plan.ts';
import { wispPort } from '../../sync/wisp-port.ts';
import type { AnyContext } from '../context.ts';
import type { SpriteTools } from './sprite-tools.ts';

export interface DirectoryPush {
  readonly name: string;
  /** Of the sprite, where it is known. */
  readonly id?: string | undefined;
  /** Absolute. */
  readonly root: string;
  /** Directory inside. */
  readonly dst: string;
  /** What git ignores as well. */
  readonly isAll?: boolean | undefined;
  /** Overwrite what was changed in the sprite. */
  readonly force?: boolean | undefined;
  readonly isFresh?: boolean | undefined;
}

const MAX_NAMED = 20;

export async function pushDirectory(
  context: AnyContext,
  tools: SpriteTools,
  push: DirectoryPush,
): Promise<PushResult> {
  const { settings, runner: client } = tools;
  const { name, id, dst: dir, force, isFresh } = push;
  const plan = await planOf(context, tools, push);
  await using progress = createProgress(context.io, {
    json: context.json,
    quiet: context.globals.quiet === true,
  });
  const result = await pushProject({
    ...selectionOf(tools, push),
    plan,
    port: wispPort({ client, name, id, dir }),
    historyDepth: settings.historyDepth,
    force,
    isFresh,
    signal: context.signal,
    onProgress: ({ filesDone, bytesDone }) => {
      void progress.update(`pushing to ${name}: ${filesDone} files, ${formatBytes(bytesDone)}`);
    },
  });
  await progress.clear();
  for (const warning of result.warnings) await context.warn(warning);
  for (const line of keptBackLines(result.keptBack)) await context.warn(`stays here: ${line}`);
  if (result.fileCount === 0) {
    await context.warn(`nothing of ${push.root} was sent; with --all what git ignores goes as well`);
  }
  return result;
}

/** What would be sent; nothing is. */
export async function planOf(
  { signal }: AnyContext,
  tools: SpriteTools,
  push: Pick<DirectoryPush, 'root' | 'isAll'>,
): Promise<PushPlan> {
  return await planPush({ ...selectionOf(tools, push), signal });
}

function selectionOf(
  { settings }: SpriteTools,
  { root, isAll = false }: Pick<DirectoryPush, 'root' | 'isAll'>,
) {
  const include = isAll ? ['*'] : settings.include;
  return { root, include, exclude: isAll ? [] : settings.syncExcludePatterns };
}

/** For people: the first of them by name and reason. */
export function keptBackLines(keptBack: readonly KeptBack[]): string[] {
  const named = keptBack.slice(0, MAX_NAMED).map((kept) => describeKept(kept));
  const leftCount = keptBack.length - named.length;
  return leftCount === 0 ? named : [...named, `${leftCount} more (--json names them all)`];
}

export function keptBackData(keptBack: readonly KeptBack[]): object[] {
  return keptBack.map(({ path, kind, reason, rule }) => ({ path: showPath(path), kind, reason, rule }));
}

export function pushData(result: PushResult): object {
  return {
    sprite: result.sprite,
    path: result.dir,
    files: result.fileCount,
    sent_files: result.sentCount,
    sent_bytes: result.sentBytes,
    removed_files: result.removedCount,
    kept_back: keptBackData(result.keptBack),
    head: result.head,
    warnings: result.warnings,
  };
}

export function pushText({ sprite, dir, fileCount, sentCount, sentBytes, removedCount }: PushResult): string {
  const sent =
    sentCount + removedCount === 0
      ? `all ${fileCount} files are there already`
      : `${sentCount} of ${fileCount} files sent, ${formatBytes(sentBytes)}`;
  const removed = removedCount === 0 ? '' : `, ${removedCount} removed there`;
  return `pushed to ${sprite}:${dir} (${sent}${removed})`;
}
