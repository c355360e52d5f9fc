/**
 * The entries of a record as columns: one long text per property instead of a row per file. Ten thousand of them
 * are read in two milliseconds, and whether any file has changed is told without making an object of one.
 *
 *   paths     names in order, NUL after each          kinds   f file, x program, l link
 *   sha256    64 characters per entry (links: dashes) oids    as long as the repository's ids, dashes for none
 *   isInHead  0 or 1 per entry                        stats   base64 of five 64-bit floats per entry, NaN for none
 *   targets   [index, target] of links                bases   [index, offset] of content in the base file
 */
import type { BytePath } from './byte-path.ts';
import type { PlannedEntry, StatKey } from './push-plan.ts';
import type { ManifestEntry } from './sprite-record.ts';

export interface RecordColumns {
  readonly paths: string;
  readonly kinds: string;
  readonly sizes: readonly number[];
  readonly sha256: string;
  readonly oids: string;
  readonly isInHead: string;
  readonly stats: string;
  readonly targets: readonly (readonly [number, BytePath])[];
  readonly bases: readonly (readonly [number, number])[];
}

const SHA256_CHARS = 64;
const STAT_NUMBERS = 5;

export function toColumns(entries: ReadonlyMap<BytePath, ManifestEntry>): RecordColumns {
  const list = [...entries.values()];
  const oidChars = Math.max(
    0,
    ...new Set(list.map((entry) => (entry.kind === 'file' ? (entry.gitOid?.length ?? 0) : 0))),
  );
  const stats = new Float64Array(list.length * STAT_NUMBERS).fill(Number.NaN);
  const targets: [number, BytePath][] = [];
  const bases: [number, number][] = [];
  for (const [index, entry] of list.entries()) {
    if (entry.kind === 'symlink') targets.push([index, entry.target]);
    else {
      if (entry.stat !== null) stats.set(numbersOf(entry.stat), index * STAT_NUMBERS);
      if (entry.baseAt !== null) bases.push([index, entry.baseAt]);
    }
  }
  const files = (of: (entry: ManifestEntry & { kind: 'file' }) => string | null, chars: number): string =>
    list.map((entry) => (entry.kind === 'file' ? of(entry) : null) ?? '-'.repeat(chars)).join('');
  return {
    paths: [...entries.keys()].map((name) => `${name}\0`).join(''),
    kinds: list.map((entry) => (entry.kind === 'symlink' ? 'l' : entry.isExecutable ? 'x' : 'f')).join(''),
    sizes: list.map((entry) => (entry.kind === 'file' ? entry.sizeBytes : 0)),
    sha256: files(({ sha256 }) => sha256, SHA256_CHARS),
    oids: files(({ gitOid }) => gitOid, oidChars),
    isInHead: list.map(({ isInHead }) => (isInHead ? '1' : '0')).join(''),
    stats: Buffer.from(stats.buffer).toString('base64'),
    targets,
    bases,
  };
}

/** Read once, made into entries only when somebody wants them. Throws `TypeError` for columns that don't fit. */
export class ColumnReader {
  readonly paths: readonly BytePath[];
  readonly #columns: RecordColumns;
  readonly #stats: Float64Array;
  readonly #targets: ReadonlyMap<number, BytePath>;
  #entries: ReadonlyMap<BytePath, ManifestEntry> | null = null;

  constructor(columns: RecordColumns) {
    this.#columns = columns;
    this.paths = columns.paths.split('\0').slice(0, -1);
    const bytes = Buffer.from(columns.stats, 'base64');
    this.#stats = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    this.#targets = new Map(columns.targets);
    this.#assertFitting();
  }

  get entries(): ReadonlyMap<BytePath, ManifestEntry> {
    this.#entries ??= this.#read();
    return this.#entries;
  }

  /** The very same entries in the same order, by what `isTrusted` makes of each file's stat. */
  isSame(planned: readonly PlannedEntry[], isTrusted: (before: StatKey, now: StatKey) => boolean): boolean {
    return (
      planned.length === this.paths.length &&
      planned.every((entry, index) => {
        if (entry.path !== this.paths[index]) return false;
        if (entry.kind === 'symlink') return this.#targets.get(index) === entry.target;
        const before = this.#columns.kinds[index] === 'l' ? null : this.#statAt(index);
        return before !== null && isTrusted(before, entry.stat);
      })
    );
  }

  #statAt(index: number): StatKey | null {
    const at = index * STAT_NUMBERS;
    const sizeBytes = this.#stats[at] ?? Number.NaN;
    if (Number.isNaN(sizeBytes)) return null;
    return {
      sizeBytes,
      mtimeMs: this.#stats[at + 1] ?? 0,
      ctimeMs: this.#stats[at + 2] ?? 0,
      ino: this.#stats[at + 3] ?? 0,
      mode: this.#stats[at + 4] ?? 0,
    };
  }

  #read(): Map<BytePath, ManifestEntry> {
    const { kinds, sizes, sha256, oids, isInHead, bases } = this.#columns;
    const baseAt = new Map(bases);
    const oidChars = this.#oidChars;
    const entries = new Map<BytePath, ManifestEntry>();
    for (const [index, name] of this.paths.entries()) {
      const committed = isInHead[index] === '1';
      if (kinds[index] === 'l') {
        entries.set(name, { kind: 'symlink', target: this.#targets.get(index) ?? '', isInHead: committed });
        continue;
      }
      const oid = oids.slice(index * oidChars, (index + 1) * oidChars);
      entries.set(name, {
        kind: 'file',
        isExecutable: kinds[index] === 'x',
        sizeBytes: sizes[index] ?? 0,
        sha256: sha256.slice(index * SHA256_CHARS, (index + 1) * SHA256_CHARS),
        gitOid: oid === '' || oid.startsWith('-') ? null : oid,
        isInHead: committed,
        baseAt: baseAt.get(index) ?? null,
        stat: this.#statAt(index),
      });
    }
    return entries;
  }

  get #oidChars(): number {
    return this.paths.length === 0 ? 0 : this.#columns.oids.length / this.paths.length;
  }

  #assertFitting(): void {
    const { kinds, sizes, sha256, oids, isInHead } = this.#columns;
    const count = this.paths.length;
    const isFitting =
      kinds.length === count &&
      isInHead.length === count &&
      sizes.length === count &&
      sha256.length === count * SHA256_CHARS &&
      this.#stats.length === count * STAT_NUMBERS &&
      [0, 40, 64].includes(this.#oidChars) &&
      /^[fxl]*$/.test(kinds) &&
      /^[0-9a-f-]*$/.test(sha256) &&
      /^[0-9a-f-]*$/.test(oids);
    if (!isFitting) throw new TypeError('not the columns of a record');
  }
}

function numbersOf({ sizeBytes, mtimeMs, ctimeMs, ino, mode }: StatKey): number[] {
  return [sizeBytes, mtimeMs, ctimeMs, ino, mode];
}
