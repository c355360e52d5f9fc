import { assertSpriteName } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly checkpoint?: string;
};

export const verb: WispVerb<Options, [name: string, newName: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<new-name>', 'Name of the copy', assertSpriteName)
      .option('--checkpoint <id>', 'Copy this checkpoint instead of the current state'),
  examples: [
    ['wisp fork demo demo-2', 'An independent copy with the same files'],
    ['wisp fork demo old --checkpoint v1', 'A copy of "demo" as it was'],
  ],
  async run({ args: [name, newName], options, signal, ...context }) {
    const engine = await createEngine(context);
    const exists = (await engine.list({ prefix: newName }, { signal })).some(
      (sprite) => sprite.name === newName,
    );
    if (exists)
      throw new WreckitError('SPRITE_EXISTS', `fork: there is a sprite ${JSON.stringify(newName)} already`);
    const from = options.checkpoint === undefined ? name : `${name}@${options.checkpoint}`;
    const { sprite } = await engine.start({ name: newName, from }, { signal });
    return { data: { sprite }, text: `started ${sprite.name}, a copy of ${from}` };
  },
};
