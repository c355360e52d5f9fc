/** Files of a sprite for people, the same in both programs. */
import type { FileEntry } from '../contract/schemas.ts';
import { type Column, renderTable } from './table.ts';
import type { TextFormat } from './verb.ts';

const TYPE_LETTERS: Readonly<Record<FileEntry['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  other: '?',
};

const COLUMNS: readonly Column[] = [
  { header: 'MODE' },
  { header: 'BYTES', align: 'right' },
  { header: 'MODIFIED (UTC)' },
  { header: 'NAME' },
];

export function fileTable(entries: readonly FileEntry[], format: TextFormat): string {
  const rows = entries.map(({ type, mode, size_bytes, modified_at, name }) => [
    `${TYPE_LETTERS[type]} ${mode}`,
    String(size_bytes),
    modified_at.slice(0, 19).replace('T', ' '),
    type === 'directory' ? `${name}/` : name,
  ]);
  return renderTable(COLUMNS, rows, format);
}
