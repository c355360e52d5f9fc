import { nameCommand } from '../../agent/wisp-client/wisp-command.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [
    ['wreckit sprite stop demo', 'End its processes, keep its files'],
    ['wreckit sprite stop demo --json', 'The same, for scripts'],
  ],
  async run(context) {
    const [name] = context.args;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [nameCommand('stop', name)]);
      const sprite = await runner.stop(name, { signal: context.signal });
      return { data: { sprite }, text: `stopped ${name}: it is ${sprite.state}` };
    });
  },
};
