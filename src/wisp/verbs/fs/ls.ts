import { fileTable } from '../../../cli/file-text.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('[path]', 'Directory or file in the sprite, relative to its home', '.'),
  examples: [
    ['wisp fs ls demo', "The sprite's home"],
    ['wisp fs ls demo project/src --json', 'Names, types, sizes, modes and times, for scripts'],
  ],
  async run(context) {
    const [name, path] = context.args;
    const engine = await createEngine(context);
    const entries = await engine.files.list(name, path, { signal: context.signal });
    return { data: { path, entries }, text: (format) => fileTable(entries, format) };
  },
};
