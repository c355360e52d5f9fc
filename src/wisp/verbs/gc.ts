import { renderTable } from '../../cli/table.ts';
import type { TextFormat } from '../../cli/verb.ts';
import type { GcReport } from '../../engine/engine.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly dryRun?: boolean;
};

export const verb: WispVerb<Options> = {
  define: (command) => command.option('--dry-run', 'Change nothing; print what would be removed'),
  examples: [
    ['wisp gc --dry-run', 'Show what would be cleaned up, and why'],
    ['wisp gc', 'Clean up'],
  ],
  async run(context) {
    const dryRun = context.options.dryRun === true;
    const report = await (await createEngine(context)).gc({ dryRun, signal: context.signal });
    return {
      data: { removed: report.removed, kept: report.kept },
      text: (format) => gcText(report, dryRun, format),
    };
  },
};

function gcText({ removed, kept }: GcReport, dryRun: boolean, format: TextFormat): string {
  if (removed.length + kept.length === 0) return 'nothing is left over';
  const done = dryRun ? 'would remove' : 'removed';
  const rows = [
    ...removed.map(({ kind, name, reason }) => [done, kind, name, reason]),
    ...kept.map(({ kind, name, reason }) => ['kept', kind, name, reason]),
  ];
  const columns = [
    { header: 'DONE' },
    { header: 'KIND' },
    { header: 'NAME' },
    { header: 'WHY', canShrink: true },
  ] as const;
  return renderTable(columns, rows, format);
}
