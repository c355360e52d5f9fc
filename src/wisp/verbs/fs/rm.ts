import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

type Options = {
  readonly recursive?: boolean;
};

export const verb: WispVerb<Options, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home')
      .option('-r, --recursive', 'a directory with all it holds'),
  examples: [
    ['wisp fs rm demo project/out.log', 'removes a file, or an empty directory'],
    ['wisp fs rm demo project/node_modules --recursive', 'removes a directory with all it holds'],
  ],
  async run(context) {
    const { args, options, signal } = context;
    const [name, path] = args;
    const recursive = options.recursive === true;
    await (await createEngine(context)).files.remove(name, path, { recursive, signal });
    return { data: { path } };
  },
};
