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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<new-name>', 'name of the copy', assertSpriteName)
      .option('--checkpoint <id>', 'copy this checkpoint, not the present state'),
  examples: [
    ['wisp fork demo demo-2', 'a second sprite with the same files, which goes its own way'],
    ['wisp fork demo old --checkpoint v1', 'one as "demo" was'],
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
