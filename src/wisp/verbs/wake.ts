import { assertSpriteName } from '../../contract/names.ts';
import { formatDuration } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { durationMs } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly keep?: number;
};

/** What the task that keeps it awake is called, where the user has not named one. */
const TASK = 'wake';

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--keep <duration>', 'Keep it awake for this long, even when idle', durationMs),
  examples: [
    ['wisp wake demo', 'Up again, with its files as they were'],
    ['wisp wake demo --keep 2h', 'wisp serve leaves it awake for two hours'],
  ],
  async run(context) {
    const { args, options, signal } = context;
    const [name] = args;
    const engine = await createEngine(context);
    if (options.keep !== undefined) {
      if (engine.sleep === undefined)
        throw new WreckitError('UNSUPPORTED', 'wake: this engine has no --keep');
      await engine.sleep.setTask(name, TASK, { expiresInMs: options.keep, signal });
    }
    const sprite = await engine.wake(name, { signal });
    const kept = options.keep === undefined ? '' : `, and stays awake for ${formatDuration(options.keep)}`;
    return { data: { sprite }, text: `${sprite.name} is ${sprite.state}${kept}` };
  },
};
