import { spriteTable } from '../../cli/sprite-text.ts';
import { createEngine } from '../create-engine.ts';
import { collectedPairs, label, prefix } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly prefix?: string;
  readonly label?: Record<string, string>;
};

export const verb: WispVerb<Options> = {
  define: (command) =>
    command
      .option('--prefix <text>', 'Only names with this prefix', prefix)
      .option('--label <key=value>', 'Only sprites with this label (repeatable)', collectedPairs(label)),
  examples: [
    ['wisp list', 'All sprites'],
    ['wisp list --label team=web --json', 'The sprites of one team, for scripts'],
  ],
  async run(context) {
    const { options, signal } = context;
    const filter = { prefix: options.prefix, labels: options.label };
    const sprites = await (await createEngine(context)).list(filter, { signal });
    return {
      data: { sprites },
      text: (format) =>
        sprites.length === 0 ? 'no sprites; start one: wisp start NAME' : spriteTable(sprites, format),
    };
  },
};
