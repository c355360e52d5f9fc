/**
 * What a sprite was given: the manifest that pull compares with, and what the next push need not send again.
 * `record.json` is one document (its entries as columns, record-columns.ts), written whole or not at all.
 */
import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../contract/names.ts';
import { errorOf } from '../errors.ts';
import type { BytePath } from './byte-path.ts';
import { readIfThere, writeDurably } from './durable.ts';
import type { FileState, LinkState } from './entry-state.ts';
import type { StatKey } from './push-plan.ts';
import { ColumnReader, type RecordColumns, toColumns } from './record-columns.ts';

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
  /** When the hashes were taken: a file changed at about that moment is read again. Milliseconds since 1970. */
  readonly hashedAtMs: number;
  readonly historyDepth: number | null;
  /** The patterns of the push: what is new in the sprite is judged by them. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly repositories: readonly RecordedRepository[];
  /** Paths that stayed here, so that nothing in the sprite can stand for them. */
  readonly keptBack: readonly BytePath[];
  readonly entries: ReadonlyMap<BytePath, ManifestEntry>;
}

/** As it was read; its entries are made when they are wanted. */
export interface LoadedRecord extends SpriteRecord {
  readonly columns: ColumnReader;
}

const VERSION = 1;

export function recordFileOf(dir: string): string {
  return path.join(dir, 'record.json');
}

export function saveRecord(dir: string, record: SpriteRecord): void {
  const { spriteId, token, baseId, tokenCtime, pushedAt, hashedAtMs, historyDepth } = record;
  const { dir: inside, include, exclude, repositories, keptBack } = record;
  const known = { spriteId, dir: inside, token, baseId, tokenCtime, pushedAt, hashedAtMs, historyDepth };
  const document = {
    version: VERSION,
    ...known,
    include,
    exclude,
    repositories,
    keptBack,
    entries: toColumns(record.entries),
  };
  fs.mkdirSync(dir, { recursive: true });
  writeDurably(recordFileOf(dir), [JSON.stringify(document), '\n']);
}

/** Null where nothing was pushed. Throws `SPRITE_SYNC_FAILED` for a record that is damaged. */
export function loadRecord(dir: string): LoadedRecord | null {
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

/** By hand: a schema library would take longer over it than all the rest of an unchanged push. */
function parseRecord(value: unknown): LoadedRecord {
  const fields = asObject(value);
  if (fields.version !== VERSION) throw new TypeError('not a record');
  const columns = new ColumnReader(columnsOf(asObject(fields.entries)));
  return {
    spriteId: asTextOrNull(fields.spriteId),
    dir: asText(fields.dir),
    token: asText(fields.token),
    baseId: asText(fields.baseId),
    tokenCtime: asTextOrNull(fields.tokenCtime),
    pushedAt: asText(fields.pushedAt),
    hashedAtMs: asNumber(fields.hashedAtMs),
    historyDepth: fields.historyDepth === null ? null : asNumber(fields.historyDepth),
    include: asArray(fields.include).map(asText),
    exclude: asArray(fields.exclude).map(asText),
    repositories: asArray(fields.repositories).map(repositoryOf),
    keptBack: asArray(fields.keptBack).map(asText),
    columns,
    get entries() {
      return columns.entries;
    },
  };
}

function columnsOf(fields: Record<string, unknown>): RecordColumns {
  const pairs = <T>(value: unknown, as: (item: unknown) => T): [number, T][] =>
    asArray(value).map((pair) => [asNumber(asArray(pair)[0]), as(asArray(pair)[1])]);
  return {
    paths: asText(fields.paths),
    kinds: asText(fields.kinds),
    sizes: asArray(fields.sizes).map(asNumber),
    sha256: asText(fields.sha256),
    oids: asText(fields.oids),
    isInHead: asText(fields.isInHead),
    stats: asText(fields.stats),
    targets: pairs(fields.targets, asText),
    bases: pairs(fields.bases, asNumber),
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
