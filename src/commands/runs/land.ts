import { finishRun } from '../../agent/runs/finish-run.ts';
import { createProgress } from '../../cli/progress.ts';
import { formatBytes } from '../../contract/units.ts';
import type { LandMode } from '../../sync/land.ts';
import type { WreckitVerb } from '../globals.ts';
import { runDocument, runText } from '../run/run-report.ts';
import { oneOf } from '../sprite/flags.ts';
import { withSprites } from '../sprite/sprite-tools.ts';
import { runOf, withRunArgument } from './run-argument.ts';

type Options = {
  readonly land?: LandMode;
  readonly again?: boolean;
  readonly kill?: boolean;
};

export const verb: WreckitVerb<Options, [runId: string]> = {
  define: (command) =>
    withRunArgument(command)
      .option(
        '--land <mode>',
        'How changes come back: branch, apply, patch or none (collect only)',
        oneOf('branch', 'apply', 'patch', 'none'),
      )
      .option('--again', 'Collect from the sprite again')
      .option('--kill', 'Remove the sprite once its work is here'),
  examples: [
    ['wreckit runs land', "Land the newest run's work, even if the run was killed"],
    ['wreckit runs land latest --land apply', 'Land it in the working tree'],
    ['wreckit runs land latest --kill', 'Then remove its sprite'],
  ],
  async run(context) {
    const { args, globals, io, json, options, signal } = context;
    const { store, record } = await runOf(context, args[0]);
    return await withSprites(context, async ({ runner, settings, loaded }) => {
      const mode = options.land ?? settings.land;
      if (globals.dryRun === true) {
        const text = `would land run ${record.id} (${record.changed_files ?? 'not yet collected'}) as ${mode}`;
        return { data: { dry_run: true, run: record.id, mode }, text };
      }
      await using progress = createProgress(io, { json, quiet: globals.quiet === true });
      const landed = await finishRun({
        store,
        record,
        client: runner,
        mode,
        branchPrefix: loaded.config.branch_prefix,
        again: options.again,
        kill: options.kill,
        onProgress: ({ filesDone, bytesDone }) =>
          void progress.update(`${filesDone} files, ${formatBytes(bytesDone)}`),
        signal,
      });
      await progress.clear();
      return { data: { run: runDocument(landed) }, text: runText(landed) };
    });
  },
};
