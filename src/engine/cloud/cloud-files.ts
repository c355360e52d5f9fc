/**
 * Files of a sprite in the cloud. Where the API has a call it is used; directories are made, and trees packed
 * and unpacked, by a command in the sprite, as its user: the API's own way to make a directory is to write a
 * file into it and remove that, which would remove one of the same name.
 */
import { isObject, numberOr, textOr } from '../../contract/json-value.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import type { FileEntry } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
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
import { MAKE_DIR, PACK, UNPACK } from '../files/scripts.ts';
import { fileMode, fileOwner, spritePath } from '../files/sprite-path.ts';
import { openChannel } from './api-channel.ts';
import { type ApiCall, type ApiClient, apiPath } from './api-client.ts';
import type { CloudSessions } from './cloud-sessions.ts';
import { INSIDE_NAME, runInside } from './run-inside.ts';

const DEFAULT_MODE = '0644';
/** The whole content may be written before an answer comes. */
const WRITE_TIMEOUT_MS = 300_000;
/** Before a sprite that sleeps answers. */
const FILE_TIMEOUT_MS = 90_000;

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export class CloudFiles implements FileOps {
  readonly #client: ApiClient;
  readonly #sessions: CloudSessions;

  constructor(client: ApiClient, sessions: CloudSessions) {
    this.#client = client;
    this.#sessions = sessions;
  }

  async *read(name: string, path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { start, end, user, signal } = options;
    const query = { path: spritePath(path), start, end, ...asUser(user) };
    yield* this.#client.stream(
      this.#call('GET', name, 'read', query, { doing: `read ${quote(path)}`, path, signal }),
    );
  }

  async write(
    name: string,
    path: string,
    content: AsyncIterable<Uint8Array>,
    { mode = DEFAULT_MODE, user, signal }: WriteOptions = {},
  ): Promise<{ sizeBytes: number }> {
    const octal = fileMode(mode).padStart(4, '0');
    const query = { path: spritePath(path), mode: octal, mkdirParents: true, ...asUser(user) };
    const counter = { sizeBytes: 0 };
    const call = this.#call('PUT', name, 'write', query, { doing: `write ${quote(path)}`, path, signal });
    const answer = await this.#client.json({
      ...call,
      bytes: counted(content, counter),
      canRepeat: false,
      timeoutMs: WRITE_TIMEOUT_MS,
    });
    const size = isObject(answer) ? numberOr(answer.size, counter.sizeBytes) : counter.sizeBytes;
    if (size === counter.sizeBytes) return { sizeBytes: size };
    throw new WreckitError(
      'SPRITE_SYNC_FAILED',
      `write ${quote(path)}: ${counter.sizeBytes} bytes were sent, ${size} are there`,
      {
        hint: 'write it again',
        details: { path, sent_bytes: counter.sizeBytes, size_bytes: size },
        retryable: true,
      },
    );
  }

  async list(name: string, path: string, options: ListOptions = {}): Promise<FileEntry[]> {
    const { recursive, pattern, user, signal } = options;
    const at = spritePath(path);
    const query = { path: at, recursive: recursive === true ? true : undefined, pattern, ...asUser(user) };
    const answer = await this.#client.json(
      this.#call('GET', name, 'list', query, { doing: `list ${quote(path)}`, path, signal }),
    );
    const entries = isObject(answer) && Array.isArray(answer.entries) ? answer.entries : null;
    if (entries === null) {
      throw new WreckitError('ENGINE_UNAVAILABLE', `list ${quote(path)}: the server's answer has no entries`);
    }
    return entries.map((entry) => entryOf(entry, at)).filter((entry) => entry !== null);
  }

  async remove(
    name: string,
    path: string,
    { recursive = false, user, signal }: { recursive?: boolean } & FileOptions = {},
  ): Promise<void> {
    const query = { path: spritePath(path), recursive: recursive ? true : undefined, ...asUser(user) };
    const call = this.#call('DELETE', name, 'delete', query, {
      doing: `remove ${quote(path)}`,
      path,
      signal,
    });
    await this.#client.json({ ...call, canRepeat: false });
  }

  async makeDir(name: string, path: string, { user, signal }: FileOptions = {}): Promise<void> {
    await this.#run({ name, path, doing: 'make directory', script: MAKE_DIR, user, signal });
  }

  async move(name: string, from: string, to: string, { user, signal }: FileOptions = {}): Promise<void> {
    const json = { source: spritePath(from), dest: spritePath(to), workingDir: '/', ...asUser(user) };
    await this.#post(name, 'rename', json, {
      doing: `move ${quote(from)} to ${quote(to)}`,
      path: from,
      signal,
    });
  }

  async copy(name: string, from: string, to: string, options: CopyOptions = {}): Promise<CopyResult> {
    const { recursive = false, preserve = false, user, signal } = options;
    const paths = { source: spritePath(from), dest: spritePath(to), workingDir: '/' };
    const json = { ...paths, recursive, preserveAttrs: preserve, ...asUser(user) };
    const call = { doing: `copy ${quote(from)} to ${quote(to)}`, path: from, signal };
    const answer = await this.#post(name, 'copy', json, call);
    return { entries: numberOr(answer.count, 0), sizeBytes: numberOr(answer.totalBytes, 0) };
  }

  async chmod(
    name: string,
    path: string,
    mode: string,
    { recursive = false, user, signal }: { recursive?: boolean } & FileOptions = {},
  ): Promise<void> {
    const json = {
      path: spritePath(path),
      mode: fileMode(mode).padStart(4, '0'),
      recursive,
      workingDir: '/',
      ...asUser(user),
    };
    await this.#post(name, 'chmod', json, { doing: `change the mode of ${quote(path)}`, path, signal });
  }

  async chown(
    name: string,
    path: string,
    owner: FileOwner,
    { recursive = false, user, signal }: { recursive?: boolean } & FileOptions = {},
  ): Promise<void> {
    fileOwner(owner);
    const json = { path: spritePath(path), ...owner, recursive, workingDir: '/', ...asUser(user) };
    await this.#post(name, 'chown', json, { doing: `change the owner of ${quote(path)}`, path, signal });
  }

  async *watch(name: string, paths: readonly string[], options: WatchOptions): AsyncGenerator<FileChange> {
    assertSpriteName(name);
    const { recursive = false, user, onReady, signal } = options;
    const doing = `watch files of ${quote(name)}`;
    const route = apiPath(['sprites', name, 'fs', 'watch'], asUser(user));
    const channel = await openChannel(this.#client, { route, doing, path: paths.join(' '), signal });
    try {
      const request = { type: 'subscribe', paths: paths.map(spritePath), recursive, workingDir: '/' };
      await channel.send(JSON.stringify(request));
      for (;;) {
        const message = await channel.next(signal);
        if (message.kind === 'end') throw watchEnded(doing, message.code);
        const event = message.kind === 'text' ? watchEvent(message.text, doing) : null;
        if (event === 'ready') onReady?.();
        else if (event !== null) yield event;
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      channel.close();
    }
  }

  async unpack(
    name: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    { user, signal }: FileOptions = {},
  ): Promise<void> {
    const stdin = assertWholeTar(tar);
    await this.#run({ name, path, doing: 'unpack into', script: UNPACK, stdin, user, signal });
  }

  async *pack(name: string, path: string, { user, signal }: FileOptions = {}): AsyncGenerator<Uint8Array> {
    assertSpriteName(name);
    const command = commandOf(PACK, spritePath(path));
    const spec = { command, user: user === 'root' ? 'root' : undefined };
    await using handle = await this.#sessions.open(name, spec, { signal, isInternal: true });
    const complaints: Buffer[] = [];
    for await (const { stream, bytes, droppedBytes } of handle.output({ follow: true, signal })) {
      if (stream === 'stderr') complaints.push(Buffer.from(bytes));
      else if (droppedBytes > 0) throw incomplete(path, droppedBytes);
      else yield bytes;
    }
    const { exitCode } = await handle.exit({ signal });
    const stderr = Buffer.concat(complaints.slice(-1000));
    if (exitCode === 0 || (exitCode === 1 && isOnlyChanged(stderr))) return;
    throw failure('pack', path, exitCode, stderr);
  }

  async #run(run: InsideCall): Promise<void> {
    const { name, path, doing, script, stdin, user, signal } = run;
    const command = commandOf(script, spritePath(path));
    const { exitCode, stderr } = await runInside(this.#sessions, name, command, { stdin, user, signal });
    if (exitCode !== 0) throw failure(doing, path, exitCode, stderr);
  }

  async #post(
    name: string,
    verb: string,
    json: unknown,
    facts: Pick<ApiCall, 'doing' | 'path' | 'signal'>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const call = this.#call('POST', name, verb, {}, facts);
    const answer = await this.#client.json({ ...call, json, canRepeat: false });
    return isObject(answer) ? answer : {};
  }

  #call(
    method: ApiCall['method'],
    name: string,
    verb: string,
    query: Query,
    facts: Pick<ApiCall, 'doing' | 'path' | 'signal'>,
  ): ApiCall {
    const route = apiPath(['sprites', assertSpriteName(name), 'fs', verb], { ...query, workingDir: '/' });
    return {
      ...facts,
      method,
      route,
      failed: 'SPRITE_EXEC_FAILED',
      canRepeat: true,
      timeoutMs: FILE_TIMEOUT_MS,
    };
  }
}

interface InsideCall extends FileOptions {
  readonly name: string;
  readonly path: string;
  readonly doing: string;
  readonly script: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
}

function asUser(user: FileOptions['user']): { asRoot?: true } {
  return user === 'root' ? { asRoot: true } : {};
}

function commandOf(script: string, path: string): string[] {
  return ['/bin/sh', '-c', script, INSIDE_NAME, path];
}

function entryOf(raw: unknown, at: string): FileEntry | null {
  if (!isObject(raw) || typeof raw.name !== 'string') return null;
  const { type } = raw;
  const isKnown = type === 'file' || type === 'directory' || type === 'symlink' || type === 'other';
  return {
    name: raw.name,
    path: textOr(raw.path, `${at === '/' ? '' : at}/${raw.name}`),
    type: isKnown ? type : raw.isDir === true ? 'directory' : 'file',
    size_bytes: numberOr(raw.size, 0),
    mode: textOr(raw.mode, '').padStart(4, '0'),
    modified_at: textOr(raw.modTime, ''),
  };
}

const CHANGES: readonly string[] = ['create', 'write', 'remove', 'rename', 'chmod'];

/** Null: nothing to tell. */
function watchEvent(text: string, doing: string): FileChange | 'ready' | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // no message of ours
  }
  if (!isObject(value)) return null;
  if (value.type === 'subscribed') return 'ready';
  if (value.type === 'error') {
    throw new WreckitError('PATH_INVALID', `${doing}: ${textOr(value.message, 'the server refuses')}`);
  }
  const { event, path } = value;
  if (value.type !== 'event' || typeof path !== 'string' || !CHANGES.includes(String(event))) return null;
  const type = event as FileChange['type'];
  const timeMs = Date.parse(textOr(value.timestamp, '')) || Date.now();
  return { path, type, isDir: value.isDir === true, sizeBytes: numberOr(value.size, 0), timeMs };
}

function watchEnded(doing: string, code: number | null): WreckitError {
  const how = code === null ? 'the connection broke off' : `the server ended it (${code})`;
  return new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${how}`, {
    hint: 'changes from now on are not seen: watch again, and look at what there is',
    retryable: true,
  });
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  counter: { sizeBytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    counter.sizeBytes += chunk.length;
    yield chunk;
  }
}

function incomplete(path: string, droppedBytes: number): WreckitError {
  return new WreckitError(
    'SPRITE_SYNC_FAILED',
    `pack ${quote(path)}: ${droppedBytes} bytes were lost on the way`,
    {
      hint: 'pull it again; a directory at a time, if it is large',
      retryable: true,
    },
  );
}

/** tar's exit status 1 when nothing but this went wrong: members are whole, as of the moment they were read. */
const CHANGED = /: (file changed as we read it|File removed before we read it)$/;

function isOnlyChanged(stderr: Buffer): boolean {
  const lines = stderr.toString('utf8').trim().split('\n');
  return lines.every((line) => CHANGED.test(line));
}

function failure(doing: string, path: string, exitCode: number | null, stderr: Buffer): WreckitError {
  const errno = errnoFrom(stderr);
  if (errno !== null) return pathError(doing, path, errno);
  const said = stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  return new WreckitError(
    'SPRITE_EXEC_FAILED',
    `${doing} ${quote(path)}: ${said === '' ? `exit code ${exitCode}` : said}`,
    {
      details: { path, exit_code: exitCode },
    },
  );
}
