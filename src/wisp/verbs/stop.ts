import { assertSpriteName } from '../../contract/names.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [['wisp stop demo', 'End its processes, keep its files']],
  async run(context) {
    const sprite = await (await createEngine(context)).stop(context.args[0], { signal: context.signal });
    return { data: { sprite }, text: `${sprite.name} is ${sprite.state}` };
  },
};
