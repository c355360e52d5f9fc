import { fsCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { fileTable } from '../../../cli/file-text.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { plannedCommands, withSprites } from '../sprite-tools.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('[path]', 'Directory or file in the sprite, relative to its home', '.'),
  examples: [
    ['wreckit sprite fs ls demo', "The sprite's home"],
    ['wreckit sprite fs ls demo project/src --json', 'Names, types, sizes, modes and times, for scripts'],
  ],
  async run(context) {
    const [name, path] = context.args;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [fsCommand('ls', name, [path])]);
      const entries = await runner.listFiles(name, path, { signal: context.signal });
      return { data: { path, entries }, text: (format) => fileTable(entries, format) };
    });
  },
};
