import { listCommand } from '../../agent/wisp-client/wisp-command.ts';
import { spriteTable } from '../../cli/sprite-text.ts';
import type { WreckitVerb } from '../globals.ts';
import { collectedPairs } from './flags.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly prefix?: string;
  readonly label?: Record<string, string>;
};

export const verb: WreckitVerb<Options> = {
  define: (command) =>
    command
      .option('--prefix <text>', 'Only names with this prefix')
      .option('--label <key=value>', 'Only sprites with this label (repeatable)', collectedPairs),
  examples: [
    ['wreckit sprite list', 'All sprites of this engine'],
    ['wreckit sprite list --label run=17 --json', 'The sprites of one run, as JSON'],
  ],
  async run(context) {
    const { prefix, label: labels } = context.options;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [listCommand({ prefix, labels })]);
      const sprites = await runner.list({ prefix, labels }, { signal: context.signal });
      return {
        data: { sprites },
        text: (format) =>
          sprites.length === 0
            ? 'no sprites; make one: wreckit sprite start NAME'
            : spriteTable(sprites, format),
      };
    });
  },
};
