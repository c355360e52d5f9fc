import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

type Options = {
  readonly recursive?: boolean;
};

export const verb: WispVerb<Options, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .option('-r, --recursive', 'Remove a directory and its contents'),
  examples: [
    ['wisp fs rm demo project/out.log', 'Remove a file or an empty directory'],
    ['wisp fs rm demo project/node_modules --recursive', 'Remove a directory and its contents'],
  ],
  async run(context) {
    const { args, options, signal } = context;
    const [name, path] = args;
    const recursive = options.recursive === true;
    await (await createEngine(context)).files.remove(name, path, { recursive, signal });
    return { data: { path } };
  },
};
