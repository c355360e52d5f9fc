/**
 * Watches files by looking again and again: what a sprite has for sure is `find`, not inotify. One shell inside
 * looks each time it is asked to (a line on its stdin), and ends with whoever asks.
 *
 *   ask → records → `parseRecord` → `changesBetween(before, now)` → wait, longer the longer a look takes
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WreckitError } from '../../../errors.ts';
import type { FileChange, WatchOptions } from '../../engine.ts';

const MIN_PAUSE_MS = 300;
const MAX_PAUSE_MS = 5_000;
/** Looking takes at most this part of the time. */
const PAUSE_PER_LOOK = 5;
/** More are refused: a look would take longer than it is worth. */
const MAX_ENTRIES = 200_000;
const MAX_RECORD_BYTES = 8192;

export interface SeenEntry {
  readonly inode: string;
  readonly isDir: boolean;
  readonly mode: string;
  readonly sizeBytes: number;
  /** Of the content, and of the facts (mode, owner, links); seconds, as text. */
  readonly modified: string;
  readonly changed: string;
}

export type Look = ReadonlyMap<string, SeenEntry>;

/** Yields a line each time a look is wanted: the shell's stdin. */
export class LookRequests implements AsyncIterable<Uint8Array> {
  #ask: () => void = () => undefined;
  #isAsked = true;

  ask(): void {
    this.#isAsked = true;
    this.#ask();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (!this.#isAsked) await new Promise<void>((resolve) => (this.#ask = resolve));
      this.#isAsked = false;
      yield Buffer.from('\n');
    }
  }
}

/** `output` is what the WATCH script prints for `requests`; the first look is the state to compare with. */
export async function* watchLooks(
  output: AsyncIterable<Uint8Array>,
  requests: LookRequests,
  { onReady, signal }: Pick<WatchOptions, 'onReady' | 'signal'>,
): AsyncGenerator<FileChange> {
  let before: Look | null = null;
  let askedAt = performance.now();
  for await (const look of looks(output)) {
    if (before === null) onReady?.();
    else yield* changesBetween(before, look, Date.now());
    before = look;
    const tookMs = performance.now() - askedAt;
    const pauseMs = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, tookMs * PAUSE_PER_LOOK));
    await sleep(pauseMs, undefined, { signal });
    askedAt = performance.now();
    requests.ask();
  }
}

async function* looks(output: AsyncIterable<Uint8Array>): AsyncGenerator<Look> {
  let rest: Buffer = Buffer.alloc(0);
  let look = new Map<string, SeenEntry>();
  for await (const chunk of output) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0, start); end !== -1; end = bytes.indexOf(0, start)) {
      const record = bytes.subarray(start, end);
      start = end + 1;
      if (record.length > 0) {
        const [path, entry] = parseRecord(record);
        look.set(path, entry);
        if (look.size > MAX_ENTRIES) throw tooMuch(`more than ${MAX_ENTRIES} files`);
      } else {
        yield look;
        look = new Map();
      }
    }
    rest = bytes.subarray(start);
    if (rest.length > MAX_RECORD_BYTES) throw tooMuch('a path that is too long');
  }
}

function tooMuch(what: string): WreckitError {
  return new WreckitError('PATH_INVALID', `watch: there is ${what} to watch`, {
    hint: 'watch a smaller directory, or without what is below it',
    details: { errno: 'ENOSPC' },
  });
}

const DIRECTORY_BITS = 0o040000;
const TYPE_BITS = 0o170000;

function parseRecord(record: Buffer): [string, SeenEntry] {
  const text = record.toString('utf8');
  const match = /^(\d+) (\S+) (\S+) (\d+) (\S+) (\S+) ([\s\S]*)$/.exec(text);
  const [, inode, kind, mode, size, modified, changed, path] = match ?? [];
  if (inode === undefined || kind === undefined || mode === undefined || path === undefined) {
    throw new WreckitError('SPRITE_EXEC_FAILED', "watch: the listing made inside can't be understood");
  }
  const raw = kind.startsWith('0x') ? Number(kind) : null;
  const entry: SeenEntry = {
    inode,
    isDir: raw === null ? kind === 'd' : (raw & TYPE_BITS) === DIRECTORY_BITS,
    mode: raw === null ? mode : (raw & 0o7777).toString(8),
    sizeBytes: Number(size),
    modified: modified ?? '',
    changed: changed ?? '',
  };
  return [path === '/' ? path : path.replace(/\/+$/, ''), entry];
}

/** What happened between two looks, as inotify would tell it: a rename is `rename` of the old name, then `create`. */
export function* changesBetween(before: Look, now: Look, timeMs: number): Generator<FileChange> {
  const change = (path: string, type: FileChange['type'], entry: SeenEntry): FileChange => ({
    path,
    type,
    isDir: entry.isDir,
    sizeBytes: entry.sizeBytes,
    timeMs,
  });
  const appeared = [...now].filter(([path]) => !before.has(path));
  const newInodes = new Set(appeared.map(([, { inode }]) => inode));
  for (const [path, entry] of before) {
    if (!now.has(path)) yield change(path, newInodes.has(entry.inode) ? 'rename' : 'remove', entry);
  }
  for (const [path, entry] of now) {
    const old = before.get(path);
    if (old === undefined || old.inode !== entry.inode) yield change(path, 'create', entry);
    else if (!entry.isDir && (old.modified !== entry.modified || old.sizeBytes !== entry.sizeBytes)) {
      yield change(path, 'write', entry);
    } else if (old.mode !== entry.mode || (!entry.isDir && old.changed !== entry.changed)) {
      yield change(path, 'chmod', entry);
    }
  }
}
