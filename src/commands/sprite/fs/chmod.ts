import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { mode } from '../flags.ts';
import { changeFiles } from './change-files.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, path: string, mode: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .argument('<mode>', 'Octal mode, such as 0755', mode),
  examples: [['wreckit sprite fs chmod demo bin/run 0755', 'Make it executable']],
  async run(context) {
    const [name, path, bits] = context.args;
    const text = `changed the mode of ${path} to ${bits}`;
    return await changeFiles(context, { verb: 'chmod', name, paths: [path], more: [bits], text });
  },
};
