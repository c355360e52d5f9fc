import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string, from: string, to: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .argument('<new-path>', 'New path; a file there is replaced'),
  examples: [
    ['wisp fs mv demo project/a.txt project/b.txt', 'Rename; the second path is always the new name'],
  ],
  async run(context) {
    const [name, from, to] = context.args;
    await (await createEngine(context)).files.move(name, from, to, { signal: context.signal });
    return { data: { path: to, from } };
  },
};
