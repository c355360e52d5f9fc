import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { count, landingLines, landingSummary } from '../../agent/runs/landing-summary.ts';
import { createProgress } from '../../cli/progress.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { formatBytes } from '../../contract/units.ts';
import { showPath } from '../../sync/byte-path.ts';
import { type ChangeSet, isComplete, warningsOf } from '../../sync/change-set.ts';
import { type LandMode, landChanges } from '../../sync/land.ts';
import { pullChanges } from '../../sync/pull.ts';
import { reviewChanges } from '../../sync/review.ts';
import { DEFAULT_PROJECT_DIR, wispPort } from '../../sync/wisp-port.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { oneOf } from '../sprite/flags.ts';
import { type SpriteTools, withSprites } from '../sprite/sprite-tools.ts';

type Options = {
  readonly land?: LandMode;
  readonly branch?: string;
  readonly output?: string;
  readonly message?: string;
};

type Context = WreckitContext<Options, [name: string]>;

export const verb: WreckitVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option(
        '--land <mode>',
        'How changes land: apply, branch, patch or none; default: apply',
        oneOf('branch', 'apply', 'patch', 'none'),
      )
      .option('--branch <name>', 'With --land branch: branch name')
      .option('--message <text>', 'With --land branch: commit message')
      .option('--output <file>', 'With --land patch: file to write'),
  examples: [
    ['wreckit sync pull demo', 'Merge into the working tree; your own edits are never overwritten'],
    ['wreckit sync pull demo --land branch', 'Commit to a new branch; the working tree stays as it is'],
    ['wreckit sync pull demo --land patch --output demo.patch', 'Write a patch for git apply'],
    ['wreckit sync pull demo --dry-run', 'Show what was changed there'],
  ],
  run: async (context) => await withSprites(context, async (tools) => await pull(context, tools)),
};

/** A sprite can make a million of them; what is taken, and what is to be looked at, is never cut. */
const MAX_REJECTED_NAMED = 50;

async function pull(context: Context, tools: SpriteTools): Promise<VerbResult> {
  const { args, cwd, globals, io, json, options, signal } = context;
  const [name] = args;
  const { id } = await tools.runner.info(name, { signal });
  await using progress = createProgress(io, { json, quiet: globals.quiet === true });
  const changeSet = await pullChanges({
    root: tools.loaded.projectRoot,
    port: wispPort({ client: tools.runner, name, id, dir: DEFAULT_PROJECT_DIR }),
    onProgress: ({ filesDone, bytesDone }) =>
      void progress.update(`pulling from ${name}: ${filesDone} files, ${formatBytes(bytesDone)}`),
    signal,
  });
  await progress.clear();
  for (const warning of warningsOf(changeSet)) await context.warn(warning);
  for (const { path, reason } of changeSet.rejected.slice(0, MAX_REJECTED_NAMED))
    await context.warn(`not taken: ${showPath(path)} ${reason}`);
  const unnamed = changeSet.rejected.length - MAX_REJECTED_NAMED;
  if (unnamed > 0) await context.warn(`not taken: ${unnamed} more; name them all: --json`);
  if (globals.dryRun === true) return await report(changeSet, signal);
  const result = await landChanges({
    changeSet,
    mode: options.land ?? 'apply',
    branch: options.branch ?? `${tools.loaded.config.branch_prefix}${name}`,
    message: options.message === undefined ? undefined : `${options.message}\n`,
    patchFile: options.output === undefined ? undefined : resolve(cwd, options.output),
    signal,
  });
  const landing = landingSummary(result);
  // Kept where it was not landed, or holds the patch; otherwise the project has it all.
  const isKept = result.mode === 'none' || (result.mode === 'patch' && options.output === undefined);
  if (!isKept) rmSync(changeSet.dir, { recursive: true, force: true });
  const hints = { undo: 'wreckit sync undo', landLater: `wreckit sync pull ${name} --land apply` };
  const text =
    changeSet.changes.length === 0 ? 'nothing was changed there' : landingLines(landing, hints).join('\n');
  return { data: { ...changesData(changeSet), landing }, text };
}

/** What a pull would bring. */
async function report(changeSet: ChangeSet, signal: AbortSignal): Promise<VerbResult> {
  const review = await reviewChanges(changeSet, signal);
  rmSync(changeSet.dir, { recursive: true, force: true });
  const lines = changeSet.changes.map((change) => `${kindOf(change)} ${showPath(change.path)}`);
  const looks = review.map(({ path, reason }) => `review before you run: ${showPath(path)} ${reason}`);
  const data = {
    dry_run: true,
    ...changesData(changeSet),
    review: review.map(({ path, kind, reason }) => ({ path: showPath(path), kind, reason })),
  };
  return { data, text: [...lines, ...looks, `would bring ${count(lines.length, 'change')}`].join('\n') };
}

function changesData(changeSet: ChangeSet): object {
  return {
    sprite: changeSet.sprite,
    changes: changeSet.changes.map((change) => ({ path: showPath(change.path), change: kindOf(change) })),
    rejected: changeSet.rejected.map(({ path, kind, reason }) => ({ path: showPath(path), kind, reason })),
    case_clashes: changeSet.caseClashes.map(([path, other]) => [showPath(path), showPath(other)]),
    ignored_files: changeSet.ignoredCount,
    is_complete: isComplete(changeSet),
    warnings: changeSet.warnings,
  };
}

function kindOf({ before, after }: ChangeSet['changes'][number]): 'added' | 'changed' | 'deleted' {
  if (before === null) return 'added';
  return after === null ? 'deleted' : 'changed';
}
