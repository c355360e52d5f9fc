import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { changeFiles } from './change-files.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, from: string, to: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home')
      .argument('<new-path>', 'its new path; a file there is replaced'),
  examples: [
    [
      'wreckit sprite fs mv demo project/a.txt project/b.txt',
      'renames; the second path is the new name, also of a directory',
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
