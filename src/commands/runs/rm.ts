import { assertNotRunning } from '../../agent/runs/recorded-run.ts';
import { isHome, runStateOf } from '../../agent/runs/run-record.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { storeOf } from './run-argument.ts';

type Options = {
  readonly force?: boolean;
};

export const verb: WreckitVerb<Options, [runIds: string[]]> = {
  define: (command) =>
    command.argument('<run...>', 'Run ids').option('--force', 'Even if their work was not landed'),
  examples: [['wreckit runs rm 20260102-030405-4f9a1c', 'Remove the record; the branch and the sprite stay']],
  async run(context) {
    const { args, globals, options } = context;
    const store = await storeOf(context);
    const records = args[0].map((id) => store.read(id));
    for (const record of records) {
      assertNotRunning(record, runStateOf(record) === 'running');
      if (isHome(record) || options.force === true) continue;
      const patch = record.landing?.patch_file ?? null;
      const what = patch === null ? 'its work was not brought home' : 'its work is in its record, as a patch';
      throw new WreckitError('CONFLICT', `run ${record.id}: ${what}`, {
        hint: `bring it home (wreckit runs land ${record.id} --land branch), or remove it with --force`,
        details: { run: record.id, patch_file: patch },
      });
    }
    const ids = records.map(({ id }) => id);
    if (globals.dryRun !== true) for (const id of ids) store.remove(id);
    const done = globals.dryRun === true ? 'would remove' : 'removed';
    return { data: { removed: ids, dry_run: globals.dryRun === true }, text: `${done} ${ids.join(', ')}` };
  },
};
