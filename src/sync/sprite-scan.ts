/**
 * What lies in a sprite's project directory, asked of the sprite with fixed scripts: names, types, sizes and
 * times with `find`, contents with `sha256sum`. Whoever is root in there can make them lie; then they hide or
 * invent changes of their own tree, and what is invented has to pass the same checks as everything else.
 */
import { quote } from '../contract/names.ts';
import { errorOf, type WreckitError } from '../errors.ts';
import { decodeUtf8 } from '../process/text.ts';
import type { BytePath } from './byte-path.ts';
import { NulSplitter } from './nul-splitter.ts';
import type { SpritePort } from './sprite-port.ts';

export interface ScannedFile {
  readonly kind: 'file';
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** By the sprite's clock, nanoseconds since 1970 as decimal text. */
  readonly ctimeNs: string;
}

export interface ScannedLink {
  readonly kind: 'symlink';
  readonly target: BytePath;
}

/** A device, FIFO or socket. */
export interface ScannedSpecial {
  readonly kind: 'special';
}

export type ScannedEntry = ScannedFile | ScannedLink | ScannedSpecial;

export interface SpriteScan {
  /** The project directory is not there at all. */
  readonly isMissing: boolean;
  /** Of the last push that came through whole; null where none did, or it was removed. */
  readonly token: string | null;
  /** Commit the sprite's own repository is at, by its own word; null when unknown. */
  readonly head: string | null;
  readonly entries: ReadonlyMap<BytePath, ScannedEntry>;
  /** Directories that can't be read: what is in them is not known. */
  readonly unreadable: readonly BytePath[];
}

export interface ScanOptions {
  /** One million when absent. */
  readonly maxEntries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a push leaves its mark; the directory is ignored by the sprite's git and never comes back. */
export const TOKEN_PATH = '.wreckit/sync/push-id';

/**
 * Records of three fields: `TYPE MODE SIZE CTIME`, name, link target; around them `token`, `head`, `end STATUS`
 * as single fields. Directories are walked, not reported, but for those that can't be read (type u).
 */
const SCAN_SCRIPT = `
LC_ALL=C; export LC_ALL
printf 'token %s\\0' "$(head -c 64 ${TOKEN_PATH} 2>/dev/null | tr -d '\\000\\n')"
printf 'head %s\\0' "$(git -c core.fsmonitor=false rev-parse -q --verify HEAD 2>/dev/null)"
find . -mindepth 1 \\( -iname .git -o -path ./.wreckit/sync \\) -prune -o \\
  -type d \\( -readable -executable -o -printf 'u 0 0 0\\0%P\\0\\0' -prune \\) -o \\
  ! -type d -printf '%y %m %s %C@\\0%P\\0%l\\0'
printf 'end %d\\0' $?
`;

const DEFAULT_MAX_ENTRIES = 1_000_000;
/** Of what the sprite says of each file allowed, on average: names that long there are hardly any. */
const MAX_BYTES_PER_ENTRY = 512;
/** For the fields around the records, and for names of any length where few files are allowed. */
const MIN_SCAN_BYTES = 1024 * 1024;

/** Throws `SPRITE_SYNC_FAILED` where the tree can't be listed, or has more than `maxEntries` files. */
export async function scanSprite(port: SpritePort, options: ScanOptions = {}): Promise<SpriteScan> {
  const parser = new ScanParser(options.maxEntries ?? DEFAULT_MAX_ENTRIES);
  const done = await port.exec(['sh', '-c', SCAN_SCRIPT], {
    onStdout: (chunk) => parser.push(chunk),
    signal: options.signal,
  });
  if (done.isDirMissing) {
    return { isMissing: true, token: null, head: null, entries: new Map(), unreadable: [] };
  }
  if (parser.findStatus === 0) return parser.result();
  const reason = decodeUtf8(done.stderr).trim().split('\n').at(-1) || `the scan ended with ${done.exitCode}`;
  throw errorOf('SPRITE_SYNC_FAILED', `list ${quote(port.dir)} in sprite "${port.name}": ${reason}`, {
    hint: 'the sprite is kept as it is; it needs sh, GNU find, sha256sum and tar, and a tree that can be read',
  });
}

class ScanParser {
  readonly #splitter = new NulSplitter();
  readonly #entries = new Map<BytePath, ScannedEntry>();
  readonly #unreadable: BytePath[] = [];
  readonly #maxEntries: number;
  #leftBytes: number;
  #pending: string[] = [];
  #token: string | null = null;
  #head: string | null = null;
  /** Exit status of `find`; null until its end was reported. */
  findStatus: number | null = null;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
    this.#leftBytes = MIN_SCAN_BYTES + maxEntries * MAX_BYTES_PER_ENTRY;
  }

  result(): SpriteScan {
    const { token, head } = { token: this.#token, head: this.#head };
    return { isMissing: false, token, head, entries: this.#entries, unreadable: this.#unreadable };
  }

  /** Whatever is in it: a sprite that never ends its answer must not fill this machine's memory. */
  push(chunk: Uint8Array): void {
    this.#leftBytes -= chunk.byteLength;
    if (this.#leftBytes < 0) throw this.#tooMuch();
    for (const field of this.#splitter.push(chunk)) this.#field(field);
  }

  #field(field: string): void {
    if (this.#pending.length === 0) {
      const single = /^(token|head|end) (.*)$/.exec(field);
      if (single !== null) {
        this.#single(single[1] ?? '', single[2] ?? '');
        return;
      }
    }
    this.#pending.push(field);
    if (this.#pending.length < 3) return;
    const [facts = '', path = '', target = ''] = this.#pending;
    this.#pending = [];
    this.#record(facts, path, target);
  }

  #single(key: string, value: string): void {
    if (key === 'token') this.#token = value === '' ? null : value;
    else if (key === 'head') this.#head = /^[0-9a-f]{40,64}$/.test(value) ? value : null;
    else this.findStatus = Number(value);
  }

  #record(facts: string, path: BytePath, target: BytePath): void {
    const match = /^([a-zA-Z]) ([0-7]{1,5}) (\d{1,16}) (-?\d+)(?:\.(\d+))?$/.exec(facts);
    if (match === null)
      throw errorOf('SPRITE_SYNC_FAILED', `scan of the sprite: ${quote(facts)} is no record of it`);
    const [, type, mode = '', size, seconds = '', fraction = ''] = match;
    if (type === 'u') this.#unreadable.push(path);
    else if (type === 'l') this.#entries.set(path, { kind: 'symlink', target });
    else if (type !== 'f') this.#entries.set(path, { kind: 'special' });
    else {
      const ctimeNs = `${seconds}${fraction.slice(0, 9).padEnd(9, '0')}`;
      const entry = { mode: Number.parseInt(mode, 8) & 0o777, sizeBytes: Number(size), ctimeNs };
      this.#entries.set(path, { kind: 'file', ...entry });
    }
    if (this.#entries.size + this.#unreadable.length > this.#maxEntries) throw this.#tooMuch();
  }

  #tooMuch(): WreckitError {
    return errorOf(
      'SPRITE_SYNC_FAILED',
      `scan of the sprite: there are more than ${this.#maxEntries} files`,
      {
        hint: 'the sprite is kept; remove what is not needed there, then pull again',
      },
    );
  }
}

/** Hashes taken inside, of nothing but `paths`; a file that is gone or can't be read has none. */
export async function hashInSprite(
  port: SpritePort,
  paths: readonly BytePath[],
  signal?: AbortSignal,
): Promise<Map<BytePath, string>> {
  const hashes = new Map<BytePath, string>();
  if (paths.length === 0) return hashes;
  const splitter = new NulSplitter();
  const asked = new Set(paths);
  await port.exec(['xargs', '-0', '-r', 'sha256sum', '-z', '--'], {
    stdin: nameList(paths),
    onStdout: (chunk) => {
      for (const line of splitter.push(chunk)) {
        const [, sha256, path] = /^([0-9a-f]{64}) [ *]\.\/(.+)$/s.exec(line) ?? [];
        if (sha256 !== undefined && path !== undefined && asked.has(path)) hashes.set(path, sha256);
      }
    },
    signal,
  });
  return hashes;
}

/** Names for `xargs -0` and `tar --null`: each begins with `./`, so that none is an option. */
export async function* nameList(paths: readonly BytePath[]): AsyncGenerator<Uint8Array> {
  const AT_ONCE = 2000;
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const names = paths.slice(at, at + AT_ONCE).map((path) => `./${path}\0`);
    yield Buffer.from(names.join(''), 'latin1');
  }
}

/** Decimal text without a sign, compared as numbers. */
export function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
