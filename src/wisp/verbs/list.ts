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
      .option('--prefix <text>', 'only names that begin with this', prefix)
      .option('--label <key=value>', 'only sprites with this label (again for more)', collectedPairs(label)),
  examples: [
    ['wisp list', 'all sprites'],
    ['wisp list --label team=web --json', 'those of one team, for a script'],
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
