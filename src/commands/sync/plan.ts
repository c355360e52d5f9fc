import { assertSpriteName } from '../../contract/names.ts';
import { formatBytes } from '../../contract/units.ts';
import { showPath } from '../../sync/byte-path.ts';
import { describeKept, type PlannedEntry, type PushPlan, planPush } from '../../sync/push-plan.ts';
import { findUnpushed, type Unpushed } from '../../sync/unpushed.ts';
import { configOf } from '../context.ts';
import type { WreckitVerb } from '../globals.ts';
import { keptBackData } from '../sprite/push-directory.ts';

type Options = { readonly kept?: boolean };

export const verb: WreckitVerb<Options, [name: string | undefined]> = {
  define: (command) =>
    command
      .argument('[sprite]', 'Only what this sprite does not have yet', assertSpriteName)
      .option('--kept', 'Only what stays here, and why'),
  examples: [
    ['wreckit sync plan', 'Every file that would leave, and every file that stays, with the reason'],
    ['wreckit sync plan --kept', 'Only what stays'],
    ['wreckit sync plan demo', 'Only what a push to "demo" would send now'],
  ],
  async run(context) {
    const { args, options, signal } = context;
    const { projectRoot: root, sprite } = await configOf(context);
    const plan = await planPush({
      root,
      include: sprite.include,
      exclude: sprite.syncExcludePatterns,
      explainIgnored: true,
      signal,
    });
    const unpushed = args[0] === undefined ? null : findUnpushed(plan, args[0], signal);
    for (const warning of plan.warnings) await context.warn(warning);
    const sent = unpushed === null ? plan.entries : chosen(plan, unpushed);
    return {
      data: planData(plan, sent, unpushed),
      text: planLines(plan, options.kept === true ? null : sent, unpushed).join('\n'),
    };
  },
};

function chosen(plan: PushPlan, { send }: Unpushed): PlannedEntry[] {
  const paths = new Set(send);
  return plan.entries.filter(({ path }) => paths.has(path));
}

function planData(plan: PushPlan, sent: readonly PlannedEntry[], unpushed: Unpushed | null): object {
  return {
    root: plan.root,
    files: sent.map((entry) => ({
      path: showPath(entry.path),
      type: entry.kind,
      ...(entry.kind === 'file'
        ? { size_bytes: entry.stat.sizeBytes, mode: `0${(entry.stat.mode & 0o777).toString(8)}` }
        : { target: showPath(entry.target) }),
    })),
    removed: unpushed?.remove.map(showPath) ?? [],
    total_bytes: totalBytes(sent),
    kept_back: keptBackData(plan.keptBack),
    repositories: plan.repositories.map(({ at, repository }) => ({
      path: showPath(at),
      head: repository.head,
      branch: repository.headRef?.replace(/^refs\/heads\//, '') ?? null,
    })),
    warnings: plan.warnings,
  };
}

/** `sent` null: left out. */
function planLines(
  plan: PushPlan,
  sent: readonly PlannedEntry[] | null,
  unpushed: Unpushed | null,
): string[] {
  const lines: string[] = [];
  for (const entry of sent ?? []) {
    const what = entry.kind === 'file' ? formatBytes(entry.stat.sizeBytes) : `-> ${showPath(entry.target)}`;
    lines.push(`send   ${showPath(entry.path)}  ${what}`);
  }
  for (const path of unpushed?.remove ?? []) lines.push(`remove ${showPath(path)}`);
  for (const kept of plan.keptBack) lines.push(`keep   ${describeKept(kept)}`);
  for (const { at, repository } of plan.repositories) {
    if (repository.head === null || repository.prefix !== '') continue;
    const place = at === '' ? 'history' : `history of ${showPath(at)}`;
    lines.push(
      `send   ${place} up to ${repository.head.slice(0, 12)}, without the contents of files that stay`,
    );
  }
  const same = unpushed === null ? '' : `, ${unpushed.sameCount} are there already`;
  const summary = `${plan.keptBack.length} stay here`;
  if (sent === null) return [...lines, summary];
  return [...lines, `${sent.length} files, ${formatBytes(totalBytes(sent))} to send${same}, ${summary}`];
}

function totalBytes(entries: readonly PlannedEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.stat.sizeBytes : 0), 0);
}
