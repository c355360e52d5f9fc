import { WreckitError } from '../../errors.ts';
import { showPath } from '../../sync/byte-path.ts';
import type { WreckitVerb } from '../globals.ts';
import { runOf, withRunArgument } from './run-argument.ts';

export const verb: WreckitVerb<Record<never, never>, [runId: string]> = {
  define: withRunArgument,
  examples: [['wreckit runs undo', 'Undo what the newest run applied to the working tree']],
  async run(context) {
    const { args, globals, signal } = context;
    const { store, record } = await runOf(context, args[0]);
    const landingId = record.landing?.landing_id ?? null;
    if (record.landing === null || landingId === null) {
      const branch = record.landing?.branch ?? null;
      throw new WreckitError('CONFLICT', `run ${record.id}: nothing of it was applied to the working tree`, {
        hint:
          branch === null
            ? 'see what became of it: wreckit runs show'
            : `its work is on a branch: git branch -D ${branch}`,
      });
    }
    if (globals.dryRun === true) {
      return {
        data: { dry_run: true, run: record.id },
        text: `would take back what run ${record.id} applied`,
      };
    }
    const { undoLanding } = await import('../../sync/land-apply.ts');
    const { restored } = await undoLanding({ root: store.root, landingId, signal });
    store.write({ ...record, landing: { ...record.landing, mode: 'none', landing_id: null } });
    const files = restored.map(showPath);
    return {
      data: { run: record.id, restored: files },
      text:
        files.length === 1 ? '1 file is as it was before' : `${files.length} files are as they were before`,
    };
  },
};
