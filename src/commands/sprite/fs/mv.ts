import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { changeFiles } from './change-files.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, from: string, to: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .argument('<new-path>', 'New path; a file there is replaced'),
  examples: [
    [
      'wreckit sprite fs mv demo project/a.txt project/b.txt',
      'Rename; the second path is always the new name',
    ],
  ],
  async run(context) {
    const [name, from, to] = context.args;
    return await changeFiles(context, {
      verb: 'mv',
      name,
      paths: [from, to],
      text: `moved ${from} to ${to}`,
    });
  },
};
