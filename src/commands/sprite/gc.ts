import { gcCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { GcItem } from '../../contract/schemas.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

export const verb: WreckitVerb = {
  define: () => undefined,
  examples: [
    ['wreckit sprite gc', 'Clean up after crashes, expiry and killed agents, and say why'],
    ['wreckit sprite gc --dry-run', 'Only show what would be done'],
  ],
  async run(context) {
    const dryRun = context.globals.dryRun === true;
    return await withSprites(context, async ({ runner, loaded }) => {
      const { collectOrphans } = await import('../../agent/rlm/orphans.ts');
      const { signal, io } = context;
      const place = { env: io.env, wispPath: loaded.sprite.wispPath };
      const orphans = await collectOrphans({ client: runner, place, dryRun, signal });
      const engine = await runner.gc({ dryRun, signal });
      const removed = [...orphans.removed, ...engine.removed];
      const kept = [...orphans.kept, ...engine.kept];
      const lines = [
        ...removed.map((item) => line(dryRun ? 'would remove' : 'removed', item)),
        ...kept.map((item) => line('kept', item)),
      ];
      const report = { removed, kept };
      if (dryRun) return plannedCommands(runner, [gcCommand(true)], { data: report, lines });
      return { data: report, text: lines.length === 0 ? 'nothing to clean up' : lines.join('\n') };
    });
  },
};

function line(what: string, { kind, name, reason }: GcItem): string {
  return `${what} ${kind} ${name}: ${reason}`;
}
