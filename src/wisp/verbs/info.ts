import { spriteText } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [['wisp info demo', 'State, limits, usage, isolation and sessions of "demo"']],
  async run(context) {
    const sprite = await (await createEngine(context)).info(context.args[0], { signal: context.signal });
    return { data: { sprite }, text: (format) => spriteText(sprite, format) };
  },
};
