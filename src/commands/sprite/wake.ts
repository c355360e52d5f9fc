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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .option('--keep <duration>', 'and keep it awake for so long, whatever happens in it', duration),
  examples: [
    ['wreckit sprite wake demo', 'up again, with its files as they were'],
    ['wreckit sprite wake demo --keep 2h', 'wisp serve does not put it to sleep for two hours'],
    ['wreckit sprite wake demo --json', 'the same for a script'],
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
