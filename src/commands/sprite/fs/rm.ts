import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { changeFiles } from './change-files.ts';

type Options = {
  readonly recursive?: boolean;
};

export const verb: WreckitVerb<Options, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .option('-r, --recursive', 'Remove a directory and its contents'),
  examples: [
    ['wreckit sprite fs rm demo project/out.log', 'Remove a file or an empty directory'],
    ['wreckit sprite fs rm demo project/node_modules --recursive', 'Remove a directory and its contents'],
  ],
  async run(context) {
    const [name, path] = context.args;
    const more = context.options.recursive === true ? ['--recursive'] : [];
    return await changeFiles(context, { verb: 'rm', name, paths: [path], more, text: `removed ${path}` });
  },
};
