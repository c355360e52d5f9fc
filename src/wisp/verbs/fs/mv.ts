import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string, from: string, to: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<path>', 'path inside; relative ones start at its home')
      .argument('<new-path>', 'its new path; a file there is replaced'),
  examples: [
    [
      'wisp fs mv demo project/a.txt project/b.txt',
      'renames; the second path is the new name, also of a directory',
    ],
  ],
  async run(context) {
    const [name, from, to] = context.args;
    await (await createEngine(context)).files.move(name, from, to, { signal: context.signal });
    return { data: { path: to, from } };
  },
};
