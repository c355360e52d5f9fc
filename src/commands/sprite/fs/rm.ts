import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { changeFiles } from './change-files.ts';

type Options = {
  readonly recursive?: boolean;
};

export const verb: WreckitVerb<Options, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home')
      .option('-r, --recursive', 'a directory with all it holds'),
  examples: [
    ['wreckit sprite fs rm demo project/out.log', 'removes a file, or an empty directory'],
    ['wreckit sprite fs rm demo project/node_modules --recursive', 'removes a directory with all it holds'],
  ],
  async run(context) {
    const [name, path] = context.args;
    const more = context.options.recursive === true ? ['--recursive'] : [];
    return await changeFiles(context, { verb: 'rm', name, paths: [path], more, text: `removed ${path}` });
  },
};
