import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home'),
  examples: [['wisp fs mkdir demo project/build/cache', 'makes it and what is missing above it']],
  async run(context) {
    const [name, path] = context.args;
    await (await createEngine(context)).files.makeDir(name, path, { signal: context.signal });
    return { data: { path } };
  },
};
