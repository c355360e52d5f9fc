/**
 * Files of a local sprite. Every access is a process inside the sprite, as its user: a link planted there
 * leads nowhere but into the sprite, and permissions are those its own programs have. The host never follows
 * a path into a sprite's root.
 *
 *   LocalFiles ── enter(name, command) → host argv ── run ── sh -c SCRIPT sh PATH …   (files/scripts.ts)
 *                                                     └ stderr → errno               (files/errno.ts)
 */
import { randomUUID } from 'node:crypto';
import type { FileEntry } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { type RunResult, run, type StdinSource } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { FileOps, Waiting, WriteOptions } from '../engine.ts';
import { assertWholeTar } from './files/end-mark.ts';
import { errnoFrom, pathError } from './files/errno.ts';
import { FIRST_RECORD_AT, parseListing } from './files/listing.ts';
import {
  CHMOD,
  LIST,
  MAKE_DIR,
  MOVE,
  PACK,
  READ,
  REMOVE,
  REMOVE_TREE,
  UNPACK,
  WRITE,
} from './files/scripts.ts';
import { fileMode, spritePath } from './files/sprite-path.ts';
import { streamRun } from './files/stream-run.ts';

/** What of the host to run, with which environment, so that `command` runs inside as the sprite's user. */
export interface Entrance extends Disposable {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Readies the sprite (wakes it, say). Throws `SPRITE_NAME_INVALID`, `SPRITE_NOT_FOUND`, `SPRITE_EXEC_FAILED`. */
export type EnterSprite = (name: string, command: readonly string[], waiting: Waiting) => Promise<Entrance>;

/** A directory of a million entries is about this long; beyond it the listing is refused, never cut. */
const MAX_LISTING_BYTES = 256 * 1024 * 1024;
const MAX_COMPLAINT_BYTES = 64 * 1024;
const DEFAULT_MODE = '0644';

interface Call {
  readonly doing: string;
  readonly name: string;
  /** As the user gave it, for messages. */
  readonly path: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly stdin?: StdinSource;
  readonly maxBytes?: number;
  readonly signal: AbortSignal | undefined;
}

export class LocalFiles implements FileOps {
  readonly #enter: EnterSprite;

  constructor(enter: EnterSprite) {
    this.#enter = enter;
  }

  async *read(name: string, path: string, { signal }: Waiting = {}): AsyncGenerator<Uint8Array> {
    const args = [spritePath(path)];
    yield* this.#stream({ doing: 'read', name, path, script: READ, args, signal });
  }

  async write(
    name: string,
    path: string,
    content: AsyncIterable<Uint8Array>,
    { signal, mode = DEFAULT_MODE }: WriteOptions = {},
  ): Promise<{ sizeBytes: number }> {
    const args = [spritePath(path), fileMode(mode), randomUUID()];
    const result = await this.#run({
      doing: 'write',
      name,
      path,
      script: WRITE,
      args,
      stdin: content,
      signal,
    });
    return { sizeBytes: Number(decodeUtf8(result.stdout).trim()) };
  }

  async list(name: string, path: string, { signal }: Waiting = {}): Promise<FileEntry[]> {
    const at = spritePath(path);
    const maxBytes = MAX_LISTING_BYTES;
    const result = await this.#run({ doing: 'list', name, path, script: LIST, args: [at], maxBytes, signal });
    if (result.stdoutTruncatedBytes > 0) {
      throw new WreckitError('SPRITE_EXEC_FAILED', `list ${path}: there is more than can be listed`);
    }
    return parseListing(result.stdout, at);
  }

  async remove(
    name: string,
    path: string,
    { recursive = false, signal }: { recursive?: boolean } & Waiting = {},
  ): Promise<void> {
    const at = spritePath(path);
    if (at === '/') throw pathError('remove', path, 'EBUSY');
    const script = recursive ? REMOVE_TREE : REMOVE;
    await this.#run({ doing: 'remove', name, path, script, args: [at], signal });
  }

  async makeDir(name: string, path: string, { signal }: Waiting = {}): Promise<void> {
    const args = [spritePath(path)];
    await this.#run({ doing: 'make directory', name, path, script: MAKE_DIR, args, signal });
  }

  async move(name: string, from: string, to: string, { signal }: Waiting = {}): Promise<void> {
    const args = [spritePath(from), spritePath(to)];
    await this.#run({
      doing: `move to ${JSON.stringify(to)}:`,
      name,
      path: from,
      script: MOVE,
      args,
      signal,
    });
  }

  async chmod(name: string, path: string, mode: string, { signal }: Waiting = {}): Promise<void> {
    const args = [spritePath(path), fileMode(mode)];
    await this.#run({ doing: 'change the mode of', name, path, script: CHMOD, args, signal });
  }

  async unpack(
    name: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    { signal }: Waiting = {},
  ): Promise<void> {
    const args = [spritePath(path)];
    const stdin = assertWholeTar(tar);
    await this.#run({ doing: 'unpack into', name, path, script: UNPACK, args, stdin, signal });
  }

  async *pack(name: string, path: string, { signal }: Waiting = {}): AsyncGenerator<Uint8Array> {
    const args = [spritePath(path)];
    yield* this.#stream({ doing: 'pack', name, path, script: PACK, args, signal }, isOnlyChanged);
  }

  async #run(call: Call): Promise<RunResult> {
    const { signal, stdin = 'ignore' } = call;
    using entrance = await this.#enter(call.name, commandOf(call), { signal });
    const { argv, env } = entrance;
    const result = await run(argv, { env, stdin, signal, maxBytes: call.maxBytes ?? MAX_COMPLAINT_BYTES });
    signal?.throwIfAborted();
    // Entries that vanish while they are listed make find complain; what it did list is the answer.
    const isPartialListing = call.script === LIST && result.stdout.length > FIRST_RECORD_AT;
    if (result.failed && !isPartialListing) throw failure(call, result);
    return result;
  }

  async *#stream(
    call: Call,
    isForgiven: (result: RunResult) => boolean = () => false,
  ): AsyncGenerator<Uint8Array> {
    const { signal } = call;
    using entrance = await this.#enter(call.name, commandOf(call), { signal });
    const { argv, env } = entrance;
    yield* streamRun(argv, { env, signal, maxBytes: MAX_COMPLAINT_BYTES }, (result) => {
      signal?.throwIfAborted();
      if (result.failed && !isForgiven(result)) throw failure(call, result);
    });
  }
}

function commandOf({ script, args }: Call): string[] {
  return ['/bin/sh', '-c', script, 'sh', ...args];
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
