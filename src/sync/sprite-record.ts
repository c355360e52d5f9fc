/**
 * What a sprite was given: the manifest that pull compares with, and what the next push need not send again.
 * `record.json` is one document with a row per file; it is written whole or not at all.
 */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import type { BytePath } from './byte-path.ts';
import { readIfThere, writeDurably } from './durable.ts';
import type { FileState, LinkState } from './entry-state.ts';
import type { StatKey } from './push-plan.ts';

export interface ManifestFile extends FileState {
  /** Of the file here when its content was read; null where it is not known to be the same any more. */
  readonly stat: StatKey | null;
  /** Id of the content as a git blob; null outside git. */
  readonly gitOid: string | null;
  /** The commit the project is at has this content at this path, so git can give it back. */
  readonly isInHead: boolean;
  /** Offset of the content in the base file (base-store.ts); null where it is not kept. */
  readonly baseAt: number | null;
}

export interface ManifestLink extends LinkState {
  readonly isInHead: boolean;
}

export type ManifestEntry = ManifestFile | ManifestLink;

export interface RecordedRepository {
  /** Empty for the project's own, else a submodule's path with a slash at its end. */
  readonly at: BytePath;
  readonly head: string | null;
  readonly headRef: string | null;
  readonly objectFormat: 'sha1' | 'sha256';
  /** Commits whose parents the sprite was not given. */
  readonly shallow: readonly string[];
}

export interface SpriteRecord {
  readonly spriteId: string | null;
  readonly dir: string;
  /** Also in the sprite, at `.wreckit/sync/push-id`: what it holds is what is described here. */
  readonly token: string;
  /** Which base file goes with it (base-store.ts). */
  readonly baseId: string;
  /** ctime of that file, by the sprite's clock: what changed there later has a later one. */
  readonly tokenCtime: string | null;
  readonly pushedAt: string;
  /** When the hashes were taken: a file changed at about that moment is read again. Nanoseconds since 1970. */
  readonly hashedAtNs: string;
  readonly historyDepth: number | null;
  /** The patterns of the push: what is new in the sprite is judged by them. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly repositories: readonly RecordedRepository[];
  /** Paths that stayed here, so that nothing in the sprite can stand for them. */
  readonly keptBack: readonly BytePath[];
  readonly entries: ReadonlyMap<BytePath, ManifestEntry>;
}

const VERSION = 1;

export function recordFileOf(dir: string): string {
  return path.join(dir, 'record.json');
}

export function saveRecord(dir: string, record: SpriteRecord): void {
  const { entries, ...header } = record;
  const rows = [...entries].map(([name, entry]) => rowOf(name, entry));
  fs.mkdirSync(dir, { recursive: true });
  writeDurably(recordFileOf(dir), [JSON.stringify({ version: VERSION, ...header, entries: rows }), '\n']);
}

/** Null where nothing was pushed. Throws `SPRITE_SYNC_FAILED` for a record that is damaged. */
export function loadRecord(dir: string): SpriteRecord | null {
  const file = recordFileOf(dir);
  const text = readIfThere(file);
  if (text === null) return null;
  try {
    return parseRecord(JSON.parse(text));
  } catch (thrown) {
    throw errorOf('SPRITE_SYNC_FAILED', `record of the last push: ${quote(file)} is damaged`, {
      hint: 'remove that file and push again with --force; pull what the sprite has first: wisp pull NAME DIR -',
      cause: thrown,
    });
  }
}

type Row = (string | number | null)[];

function rowOf(name: BytePath, entry: ManifestEntry): Row {
  if (entry.kind === 'symlink') return [name, 'l', entry.target, entry.isInHead ? 1 : 0];
  const { stat } = entry;
  const facts = [
    name,
    entry.isExecutable ? 'x' : 'f',
    entry.sizeBytes,
    entry.sha256,
    entry.gitOid,
    entry.isInHead ? 1 : 0,
    entry.baseAt,
  ];
  return stat === null ? facts : [...facts, stat.mtimeNs, stat.ctimeNs, stat.ino, stat.mode, stat.sizeBytes];
}

/** By hand: a schema library would take longer over ten thousand rows than all the rest of a push. */
function parseRecord(value: unknown): SpriteRecord {
  const fields = asObject(value);
  if (fields.version !== VERSION || !Array.isArray(fields.entries)) throw new TypeError('not a record');
  const entries = new Map<BytePath, ManifestEntry>();
  for (const row of fields.entries) entries.set(asText(asArray(row)[0]), entryOf(asArray(row)));
  return {
    spriteId: asTextOrNull(fields.spriteId),
    dir: asText(fields.dir),
    token: asText(fields.token),
    baseId: asText(fields.baseId),
    tokenCtime: asTextOrNull(fields.tokenCtime),
    pushedAt: asText(fields.pushedAt),
    hashedAtNs: asText(fields.hashedAtNs),
    historyDepth: fields.historyDepth === null ? null : asNumber(fields.historyDepth),
    include: asArray(fields.include).map(asText),
    exclude: asArray(fields.exclude).map(asText),
    repositories: asArray(fields.repositories).map(repositoryOf),
    keptBack: asArray(fields.keptBack).map(asText),
    entries,
  };
}

function entryOf(row: readonly unknown[]): ManifestEntry {
  if (row[1] === 'l') return { kind: 'symlink', target: asText(row[2]), isInHead: row[3] === 1 };
  if (row[1] !== 'f' && row[1] !== 'x') throw new TypeError('not an entry');
  return {
    kind: 'file',
    isExecutable: row[1] === 'x',
    sizeBytes: asNumber(row[2]),
    sha256: asText(row[3]),
    gitOid: asTextOrNull(row[4]),
    isInHead: row[5] === 1,
    baseAt: row[6] === null ? null : asNumber(row[6]),
    stat: row.length < 12 ? null : statOf(row),
  };
}

function statOf(row: readonly unknown[]): StatKey {
  return {
    mtimeNs: asText(row[7]),
    ctimeNs: asText(row[8]),
    ino: asText(row[9]),
    mode: asNumber(row[10]),
    sizeBytes: asNumber(row[11]),
  };
}

function repositoryOf(value: unknown): RecordedRepository {
  const fields = asObject(value);
  return {
    at: asText(fields.at),
    head: asTextOrNull(fields.head),
    headRef: asTextOrNull(fields.headRef),
    objectFormat: fields.objectFormat === 'sha256' ? 'sha256' : 'sha1',
    shallow: asArray(fields.shallow).map(asText),
  };
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
  return value as Record<string, unknown>;
}

function asArray(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('not a text');
  return value;
}

function asTextOrNull(value: unknown): string | null {
  return value === null ? null : asText(value);
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('not a number');
  return value;
}
