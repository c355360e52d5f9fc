import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home'),
  examples: [['wisp fs mkdir demo project/build/cache', 'Create it and any missing parents']],
  async run(context) {
    const [name, path] = context.args;
    await (await createEngine(context)).files.makeDir(name, path, { signal: context.signal });
    return { data: { path } };
  },
};
