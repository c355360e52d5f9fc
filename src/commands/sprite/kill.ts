import { killCommand } from '../../agent/wisp-client/wisp-command.ts';
import { collected } from '../../cli/flag-values.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { collectedPairs } from './flags.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly label?: Record<string, string>;
};

export const verb: WreckitVerb<Options, [names: string[] | undefined]> = {
  define: (command) =>
    command
      .argument('[sprite...]', 'Names of the sprites', collected(assertSpriteName))
      .option('--label <key=value>', 'All sprites with this label (repeatable)', collectedPairs),
  examples: [
    ['wreckit sprite kill demo', 'Remove "demo", its processes and its files'],
    ['wreckit sprite kill a b c', 'Remove three sprites'],
    ['wreckit sprite kill --label run=17', 'Remove all sprites of one run'],
  ],
  async run(context) {
    const { args, globals, options, signal } = context;
    const names = [...new Set(args[0] ?? [])];
    const { label: labels } = options;
    if (names.length > 0 === (labels !== undefined)) {
      throw new WreckitError('USAGE', 'kill: either names or labels are wanted, not both, not neither', {
        hint: 'kill by name (wreckit sprite kill NAME) or by label (wreckit sprite kill --label KEY=VALUE)',
      });
    }
    return await withSprites(context, async ({ runner, loaded }) => {
      if (globals.dryRun === true) return plannedCommands(runner, [killCommand(names, labels)]);
      const killed =
        labels === undefined
          ? await runner.kill(names, { signal })
          : await runner.killLabelled(labels, { signal });
      const { forgetSprite } = await import('../../sync/forget-sprite.ts');
      for (const name of killed) await forgetSprite(loaded.projectRoot, name, signal);
      const text = killed.length === 0 ? 'no sprite has this label' : killed.map((name) => `killed ${name}`);
      return { data: { killed }, text: Array.isArray(text) ? text.join('\n') : text };
    });
  },
};
