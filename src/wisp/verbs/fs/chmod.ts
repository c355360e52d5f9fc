import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import { fileMode } from '../../flags.ts';
import type { WispVerb } from '../../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string, path: string, mode: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home')
      .argument('<mode>', 'Octal mode, such as 0755', fileMode),
  examples: [['wisp fs chmod demo bin/run 0755', 'Make it executable']],
  async run(context) {
    const [name, path, mode] = context.args;
    await (await createEngine(context)).files.chmod(name, path, mode, { signal: context.signal });
    return { data: { path, mode } };
  },
};
