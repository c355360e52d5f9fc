import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { changeFiles } from './change-files.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home'),
  examples: [['wreckit sprite fs mkdir demo project/build/cache', 'Create it and any missing parents']],
  async run(context) {
    const [name, path] = context.args;
    return await changeFiles(context, { verb: 'mkdir', name, paths: [path], text: `made ${path}` });
  },
};
