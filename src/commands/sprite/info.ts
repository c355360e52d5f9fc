import { nameCommand } from '../../agent/wisp-client/wisp-command.ts';
import { spriteText } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [
    ['wreckit sprite info demo', 'State, limits, usage and sessions'],
    ['wreckit sprite info demo --json', 'The same, for scripts'],
  ],
  async run(context) {
    const [name] = context.args;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [nameCommand('info', name)]);
      const sprite = await runner.info(name, { signal: context.signal });
      return { data: { sprite }, text: (format) => spriteText(sprite, format) };
    });
  },
};
