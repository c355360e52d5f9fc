/**
 * Files of a local sprite. Every access is a process inside the sprite, as its user: a link planted there
 * leads nowhere but into the sprite, and permissions are those its own programs have. The host never follows
 * a path into a sprite's root.
 *
 *   LocalFiles ── enter(name, command) → host argv ── run ── sh -c SCRIPT sh PATH …   (../files/scripts.ts)
 *                                                     └ stderr → errno               (../files/errno.ts)
 */
import type { FileEntry } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { type RunResult, run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type {
  CopyOptions,
  CopyResult,
  FileChange,
  FileOps,
  FileOptions,
  FileOwner,
  ListOptions,
  ReadOptions,
  WatchOptions,
  WriteOptions,
} from '../engine.ts';
import { assertWholeTar } from '../files/end-mark.ts';
import { errnoFrom, pathError } from '../files/errno.ts';
import {
  CHMOD,
  CHOWN,
  COPY,
  LIST,
  MAKE_DIR,
  MOVE,
  PACK,
  READ,
  READ_RANGE,
  REMOVE,
  REMOVE_TREE,
  UNPACK,
  WATCH,
  WRITE,
} from '../files/scripts.ts';
import { fileMode, fileOwner, spritePath } from '../files/sprite-path.ts';
import { FIRST_RECORD_AT, parseListing } from './files/listing.ts';
import { Retaken } from './files/retaken.ts';
import { streamRun } from './files/stream-run.ts';
import { LookRequests, watchLooks } from './files/watch.ts';

/** What of the host to run, with which environment, so that `command` runs inside. */
export interface Entrance extends Disposable {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Readies the sprite (wakes it, say). Throws `SPRITE_NAME_INVALID`, `SPRITE_NOT_FOUND`, `SPRITE_EXEC_FAILED`. */
export type EnterSprite = (
  name: string,
  command: readonly string[],
  options: FileOptions,
) => Promise<Entrance>;

/** A directory of a million entries is about this long; beyond it the listing is refused, never cut. */
const MAX_LISTING_BYTES = 256 * 1024 * 1024;
const MAX_COMPLAINT_BYTES = 64 * 1024;
/** Tries of a call that finds the sprite held still. */
const MAX_MORE = 10;
const DEFAULT_MODE = '0644';

interface Call {
  readonly doing: string;
  readonly name: string;
  /** As the user gave it, for messages. */
  readonly path: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly maxBytes?: number;
  readonly user?: FileOptions['user'];
  readonly signal?: AbortSignal | undefined;
}

export class LocalFiles implements FileOps {
  readonly #enter: EnterSprite;

  constructor(enter: EnterSprite) {
    this.#enter = enter;
  }

  async *read(
    name: string,
    path: string,
    { user, signal, start = 0, end }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const at = spritePath(path);
    const call = { doing: 'read', name, path, user, signal };
    if (start === 0 && end === undefined) return yield* this.#stream({ ...call, script: READ, args: [at] });
    const length = end === undefined ? '' : String(Math.max(0, end - start));
    yield* this.#stream({ ...call, script: READ_RANGE, args: [at, String(start + 1), length] });
  }

  async write(
    name: string,
    path: string,
    content: AsyncIterable<Uint8Array>,
    { user, signal, mode = DEFAULT_MODE }: WriteOptions = {},
  ): Promise<{ sizeBytes: number }> {
    const id = crypto.randomUUID();
    const result = await this.#run({
      doing: 'write',
      name,
      path,
      script: WRITE,
      args: [spritePath(path), fileMode(mode), id],
      stdin: endedBy(content, id),
      user,
      signal,
    });
    return { sizeBytes: Number(decodeUtf8(result.stdout).trim()) };
  }

  async list(
    name: string,
    path: string,
    { user, signal, recursive = false, pattern = '' }: ListOptions = {},
  ): Promise<FileEntry[]> {
    const at = spritePath(path);
    const args = [at, recursive ? '' : '1', pattern];
    const call = { doing: 'list', name, path, script: LIST, args, maxBytes: MAX_LISTING_BYTES };
    const result = await this.#run({ ...call, user, signal });
    if (result.stdoutTruncatedBytes > 0) {
      throw new WreckitError('SPRITE_EXEC_FAILED', `list ${path}: there is more than can be listed`);
    }
    return parseListing(result.stdout, at);
  }

  async remove(
    name: string,
    path: string,
    { recursive = false, user, signal }: { recursive?: boolean } & FileOptions = {},
  ): Promise<void> {
    const at = spritePath(path);
    if (at === '/') throw pathError('remove', path, 'EBUSY');
    const script = recursive ? REMOVE_TREE : REMOVE;
    await this.#run({ doing: 'remove', name, path, script, args: [at], user, signal });
  }

  async makeDir(name: string, path: string, { user, signal }: FileOptions = {}): Promise<void> {
    const args = [spritePath(path)];
    await this.#run({ doing: 'make directory', name, path, script: MAKE_DIR, args, user, signal });
  }

  async move(name: string, from: string, to: string, { user, signal }: FileOptions = {}): Promise<void> {
    const args = [spritePath(from), spritePath(to)];
    await this.#run({
      doing: `move to ${JSON.stringify(to)}:`,
      name,
      path: from,
      script: MOVE,
      args,
      user,
      signal,
    });
  }

  async copy(
    name: string,
    from: string,
    to: string,
    { recursive = false, preserve = false, user, signal }: CopyOptions = {},
  ): Promise<CopyResult> {
    const flags = [...(recursive ? ['-R'] : []), ...(preserve ? ['-p'] : [])].join(' ');
    const args = [spritePath(from), spritePath(to), flags];
    const doing = `copy to ${JSON.stringify(to)}:`;
    const maxBytes = MAX_LISTING_BYTES;
    const result = await this.#run({ doing, name, path: from, script: COPY, args, maxBytes, user, signal });
    return copyResult(decodeUtf8(result.stdout));
  }

  async chmod(
    name: string,
    path: string,
    mode: string,
    { recursive = false, user, signal }: { recursive?: boolean } & FileOptions = {},
  ): Promise<void> {
    const args = [spritePath(path), fileMode(mode), recursive ? '-R' : ''];
    await this.#run({ doing: 'change the mode of', name, path, script: CHMOD, args, user, signal });
  }

  async chown(
    name: string,
    path: string,
    owner: FileOwner,
    { recursive = false, user, signal }: { recursive?: boolean } & FileOptions = {},
  ): Promise<void> {
    const args = [spritePath(path), fileOwner(owner), recursive ? '-R' : ''];
    await this.#run({ doing: 'change the owner of', name, path, script: CHOWN, args, user, signal });
  }

  async *watch(
    name: string,
    paths: readonly string[],
    { recursive = false, user, onReady, signal }: WatchOptions,
  ): AsyncGenerator<FileChange> {
    const requests = new LookRequests();
    const args = [recursive ? '' : '1', ...paths.map(spritePath)];
    const path = paths.join(' ');
    const output = this.#stream({
      doing: 'watch',
      name,
      path,
      script: WATCH,
      args,
      stdin: requests,
      user,
      signal,
    });
    yield* watchLooks(output, requests, { onReady, signal });
  }

  async unpack(
    name: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    { user, signal }: FileOptions = {},
  ): Promise<void> {
    const args = [spritePath(path)];
    const stdin = assertWholeTar(tar);
    await this.#run({ doing: 'unpack into', name, path, script: UNPACK, args, stdin, user, signal });
  }

  async *pack(name: string, path: string, { user, signal }: FileOptions = {}): AsyncGenerator<Uint8Array> {
    const args = [spritePath(path)];
    yield* this.#stream({ doing: 'pack', name, path, script: PACK, args, user, signal }, isOnlyChanged);
  }

  async #run(call: Call): Promise<RunResult> {
    const { signal } = call;
    using input = inputOf(call);
    let result = await this.#runOnce(call, input);
    for (let more = MAX_MORE; more > 0 && isHeldStill(result, input); more -= 1) {
      result = await this.#runOnce(call, input);
    }
    signal?.throwIfAborted();
    // Entries that vanish while they are listed make find complain; what it did list is the answer.
    const isPartialListing = call.script === LIST && result.stdout.length > FIRST_RECORD_AT;
    if (result.failed && !isPartialListing) throw failure(call, result);
    return result;
  }

  async #runOnce(call: Call, input: Retaken | null): Promise<RunResult> {
    const { name, user, signal, maxBytes = MAX_COMPLAINT_BYTES } = call;
    using entrance = await this.#enter(name, commandOf(call), { user, signal });
    const { argv, env } = entrance;
    return await run(argv, { env, stdin: input ?? 'ignore', signal, maxBytes });
  }

  async *#stream(
    call: Call,
    isForgiven: (result: RunResult) => boolean = () => false,
  ): AsyncGenerator<Uint8Array> {
    const { name, user, signal } = call;
    using input = inputOf(call);
    for (let more = MAX_MORE; ; more -= 1) {
      using entrance = await this.#enter(name, commandOf(call), { user, signal });
      const { argv, env } = entrance;
      const options = { env, stdin: input ?? 'ignore', signal, maxBytes: MAX_COMPLAINT_BYTES } as const;
      const seen = { output: false, end: true };
      const output = streamRun(argv, options, (result) => {
        signal?.throwIfAborted();
        seen.end = seen.output || more === 0 || !isHeldStill(result, input);
        if (seen.end && result.failed && !isForgiven(result)) throw failure(call, result);
      });
      for await (const chunk of output) {
        seen.output = true;
        yield chunk;
      }
      if (seen.end) return;
    }
  }
}

function inputOf({ stdin }: Call): Retaken | null {
  return stdin === undefined ? null : new Retaken(stdin);
}

/**
 * A checkpoint may hold the sprite still right after it was seen awake: the runtime's own word, before anything of
 * the call has run. It can be made again then.
 */
function isHeldStill({ failed, stderr }: RunResult, input: Retaken | null): boolean {
  return failed && input?.canBeginAgain !== false && /paused container/i.test(decodeUtf8(stderr));
}

/** The content, then the id that says it was all: see WRITE. */
async function* endedBy(content: AsyncIterable<Uint8Array>, id: string): AsyncGenerator<Uint8Array> {
  yield* content;
  yield Buffer.from(id);
}

function commandOf({ script, args }: Call): string[] {
  return ['/bin/sh', '-c', script, 'sh', ...args];
}

/** What the COPY script prints: `entries N` lines, which add up, and a size per file. */
function copyResult(output: string): CopyResult {
  let entries = 0;
  let sizeBytes = 0;
  for (const line of output.split('\n')) {
    if (line.startsWith('entries ')) entries += Number(line.slice('entries '.length));
    else sizeBytes += Number(line);
  }
  return { entries, sizeBytes };
}

/** tar's exit status 1 when nothing but this went wrong: members are whole, as of the moment they were read. */
const CHANGED = /: (file changed as we read it|File removed before we read it)$/;

function isOnlyChanged({ exitCode, stderr, stderrTruncatedBytes }: RunResult): boolean {
  const lines = decodeUtf8(stderr).trim().split('\n');
  return exitCode === 1 && stderrTruncatedBytes === 0 && lines.every((line) => CHANGED.test(line));
}

function failure({ doing, path }: Call, result: RunResult): WreckitError {
  if (result.spawnError !== null) {
    return new WreckitError('ENGINE_UNAVAILABLE', `${doing} ${path}: ${result.spawnError.message}`);
  }
  const errno = errnoFrom(result.stderr);
  if (errno !== null) return pathError(doing, path, errno);
  const said = decodeUtf8(result.stderr).trim().split('\n').at(-1) ?? '';
  const fate = result.signal === null ? `exit code ${result.exitCode}` : result.signal;
  return new WreckitError('SPRITE_EXEC_FAILED', `${doing} ${path}: ${said === '' ? fate : said}`, {
    details: { path, exit_code: result.exitCode, signal: result.signal },
  });
}
