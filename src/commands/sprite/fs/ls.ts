import { fsCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { renderTable } from '../../../cli/table.ts';
import type { TextFormat } from '../../../cli/verb.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import type { FileEntry } from '../../../contract/schemas.ts';
import type { WreckitVerb } from '../../globals.ts';
import { plannedCommands, withSprites } from '../sprite-tools.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('[path]', 'directory or file inside; relative ones start at its home', '.'),
  examples: [
    ['wreckit sprite fs ls demo', "the sprite's home"],
    ['wreckit sprite fs ls demo project/src --json', 'names, types, sizes, modes and times for a script'],
  ],
  async run(context) {
    const [name, path] = context.args;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [fsCommand('ls', name, [path])]);
      const entries = await runner.listFiles(name, path, { signal: context.signal });
      return { data: { path, entries }, text: (format) => entryTable(entries, format) };
    });
  },
};

const TYPE_LETTERS: Readonly<Record<FileEntry['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  other: '?',
};

function entryTable(entries: readonly FileEntry[], format: TextFormat): string {
  const rows = entries.map(({ type, mode, size_bytes, modified_at, name }) => [
    `${TYPE_LETTERS[type]} ${mode}`,
    String(size_bytes),
    modified_at.slice(0, 19).replace('T', ' '),
    type === 'directory' ? `${name}/` : name,
  ]);
  const columns = [
    { header: 'MODE' },
    { header: 'BYTES', align: 'right' },
    { header: 'MODIFIED (UTC)' },
    { header: 'NAME' },
  ] as const;
  return renderTable(columns, rows, format);
}
