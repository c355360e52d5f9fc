import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { mode } from '../flags.ts';
import { changeFiles } from './change-files.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, path: string, mode: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home')
      .argument('<mode>', 'octal, such as 0755', mode),
  examples: [['wreckit sprite fs chmod demo bin/run 0755', 'makes it executable']],
  async run(context) {
    const [name, path, bits] = context.args;
    const text = `changed the mode of ${path} to ${bits}`;
    return await changeFiles(context, { verb: 'chmod', name, paths: [path], more: [bits], text });
  },
};
