import { wakeCommand } from '../../agent/wisp-client/wisp-command.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { duration } from './flags.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly keep?: string;
};

export const verb: WreckitVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--keep <duration>', 'Keep it awake for this long, even when idle', duration),
  examples: [
    ['wreckit sprite wake demo', 'Up again, with its files as they were'],
    ['wreckit sprite wake demo --keep 2h', 'wisp serve leaves it awake for two hours'],
    ['wreckit sprite wake demo --json', 'The same, for scripts'],
  ],
  async run(context) {
    const [name] = context.args;
    const { keep } = context.options;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [wakeCommand(name, keep)]);
      const sprite = await runner.wake(name, { signal: context.signal, keep });
      const kept = keep === undefined ? '' : `, and stays awake for ${keep}`;
      return { data: { sprite }, text: `woke ${name}: it is ${sprite.state}${kept}` };
    });
  },
};
