import { count } from '../../agent/runs/landing-summary.ts';
import { showPath } from '../../sync/byte-path.ts';
import { undoLanding } from '../../sync/land-apply.ts';
import { syncStatus } from '../../sync/sync-status.ts';
import { configOf } from '../context.ts';
import type { WreckitVerb } from '../globals.ts';

export const verb: WreckitVerb<Record<never, never>, [landing: string | undefined]> = {
  define: (command) => command.argument('[landing]', 'Landing id; default: the newest'),
  examples: [
    ['wreckit sync undo', 'Undo the newest landing, byte for byte'],
    ['wreckit sync undo --dry-run', 'Show which landing it would be; wreckit sync status lists all'],
  ],
  async run(context) {
    const { args, globals, signal } = context;
    const { projectRoot: root } = await configOf(context);
    if (globals.dryRun === true) {
      const landings = syncStatus(root).landings.filter(({ canUndo }) => canUndo);
      const chosen =
        args[0] === undefined ? landings.at(-1) : landings.find(({ landingId }) => landingId === args[0]);
      const text =
        chosen === undefined
          ? 'nothing to undo'
          : `would take back landing ${chosen.landingId} (${chosen.fileCount} files)`;
      return { data: { dry_run: true, landing_id: chosen?.landingId ?? null }, text };
    }
    const { landingId, restored } = await undoLanding({ root, landingId: args[0], signal });
    const files = restored.map(showPath);
    return {
      data: { landing_id: landingId, restored: files },
      text: `${count(files.length, 'file')} as before the landing of ${landingId}`,
    };
  },
};
