/** The records that the LIST script prints, as file entries. */
import type { FileEntry } from '../../../contract/schemas.ts';
import { WreckitError } from '../../../errors.ts';

const TYPE_OF_LETTER: Readonly<Record<string, FileEntry['type']>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
};
/** The file type bits of st_mode. */
const TYPE_BITS = 0o170000;
// Pairs, not keys of an object: Biome 2.6 rewrites octal keys, and to wrong numbers.
const TYPE_OF_BITS: ReadonlyMap<number, FileEntry['type']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
]);

/** After `in` or `at` and its NUL. */
export const FIRST_RECORD_AT = 3;

/**
 * Entries sorted by their path below `path`, bytewise. `path` is what was listed: a directory, or the very entry. A name that is
 * not UTF-8 carries its bytes in `name_base64`, since the text can't.
 */
export function parseListing(output: Uint8Array, path: string): FileEntry[] {
  const records: { below: Buffer; entry: FileEntry }[] = [];
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  const parent = bytes.subarray(0, 2).toString() === 'in' ? path : path.replace(/\/[^/]*$/, '');
  for (let start = FIRST_RECORD_AT; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    if (end === -1) break;
    records.push(parseRecord(bytes.subarray(start, end), parent));
    start = end + 1;
  }
  return records.sort((a, b) => Buffer.compare(a.below, b.below)).map(({ entry }) => entry);
}

function parseRecord(record: Buffer, parent: string): { below: Buffer; entry: FileEntry } {
  // latin1: one character per byte, so that positions in the text are those in the record.
  const match = /^(\S+) (\S+) (\d+) (-?\d+(?:\.\d+)?) /.exec(record.toString('latin1'));
  const [facts, kind, mode, size, seconds] = match ?? [];
  if (facts === undefined || kind === undefined || mode === undefined) {
    throw new WreckitError(
      'SPRITE_EXEC_FAILED',
      `list ${parent}: the listing made inside can't be understood`,
    );
  }
  const raw = kind.startsWith('0x') ? Number(kind) : null;
  const permissions = raw === null ? mode : (raw & 0o7777).toString(8);
  const type = raw === null ? TYPE_OF_LETTER[kind] : TYPE_OF_BITS.get(raw & TYPE_BITS);
  const below = record.subarray(facts.length);
  const path = below.toString('utf8');
  const name = below.subarray(below.lastIndexOf('/') + 1);
  const text = name.toString('utf8');
  const isUtf8 = Buffer.from(text).equals(name);
  const entry: FileEntry = {
    name: text,
    path: parent === '/' ? `/${path}` : `${parent}/${path}`,
    type: type ?? 'other',
    size_bytes: Number(size),
    mode: permissions.padStart(4, '0'),
    modified_at: timeOf(Number(seconds)),
    ...(isUtf8 ? {} : { name_base64: name.toString('base64') }),
  };
  return { below, entry };
}

/** RFC 3339 has four digits for a year; a file system may have far more, and anybody may set them. */
function timeOf(seconds: number): string {
  const ms = Math.min(LAST_MS, Math.max(FIRST_MS, Math.floor(seconds * 1000)));
  return new Date(ms).toISOString();
}

const FIRST_MS = Date.parse('0000-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
