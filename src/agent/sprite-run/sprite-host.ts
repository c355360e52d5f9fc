/**
 * Runs an agent's program inside a sprite, as a detached session: it goes on when this process dies, and its
 * output can be read again from any offset.
 *
 *   files, prompt ─▶ /dev/shm (memory, mode 0600) ─▶ exec --detach ─▶ logs --follow, per stream ─▶ exit code
 *     abort, deadline ─▶ kill-session: SIGTERM → grace → SIGKILL, inside
 */

import { randomBytes } from 'node:crypto';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { onAbort } from '../../process/abort.ts';
import { deadline } from '../../process/deadline.ts';
import type { SpawnError } from '../../process/run.ts';
import { type CommandHost, type CommandOutcome, type CommandRequest, placeFiles } from '../command-host.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { WispClient } from '../wisp-client/wisp-client.ts';

export interface SpriteHostOptions {
  readonly client: WispClient;
  /** The sprite's name. */
  readonly name: string;
  /** The project's directory inside. */
  readonly dir: string;
  readonly lifecycle?: Lifecycle | undefined;
  /** From SIGTERM to SIGKILL; default 10 s. */
  readonly graceMs?: number | undefined;
  /** Called once the program runs. */
  readonly onSession?: ((sessionId: string) => void) | undefined;
}

const DEFAULT_GRACE_MS = 10_000;
/** A wisp that dies while it follows a log is asked again from where it was. */
const MAX_LOG_ATTEMPTS = 5;
const STDIN_FILE = 'stdin';
/** The prompt comes from a file, so that nobody has to stay to feed it. */
const WITH_STDIN = ['/bin/sh', '-c', `exec "$@" <"$0/${STDIN_FILE}"`];
/** As above; nothing else is in that directory, so it goes as soon as the file is open. */
const WITH_STDIN_ALONE = ['/bin/sh', '-c', `exec <"$0/${STDIN_FILE}" || exit; rm -rf -- "$0"; exec "$@"`];
/** Into a directory that is made for it, readable to its owner alone. */
const WRITE_FILE = ['/bin/sh', '-c', 'umask 077 && mkdir -p -- "$0" && cat >"$0/$1"'];
const MISSING = 3;
const NOT_EXECUTABLE = 4;
const COMMAND_STATE = [
  ...['/bin/sh', '-c'],
  `case $0 in */*) [ -e "$0" ] || exit ${MISSING}; [ -x "$0" ] || exit ${NOT_EXECUTABLE};; ` +
    `*) command -v -- "$0" >/dev/null || exit ${MISSING};; esac`,
];

export function spriteHost(options: SpriteHostOptions): CommandHost {
  return {
    isSandbox: true,
    name: `sprite ${options.name}`,
    execute: (request) => withFiles(options, request, (filesDir) => execute(options, request, filesDir)),
  };
}

type StopCause = 'timeout' | 'abort';

async function execute(
  options: SpriteHostOptions,
  request: CommandRequest,
  filesDir: string,
): Promise<CommandOutcome> {
  const { client, name, graceMs = DEFAULT_GRACE_MS } = options;
  const place = (text: string): string => placeFiles(text, filesDir);
  const argv = request.argv.map(place);
  const withStdin = isStdinAlone(request) ? WITH_STDIN_ALONE : WITH_STDIN;
  const command = request.stdin === null ? argv : [...withStdin, filesDir, ...argv];
  request.signal?.throwIfAborted();
  const { session_id: sessionId } = await client.execDetached(name, command, {
    dir: request.cwd ?? options.dir,
    env: Object.fromEntries(Object.entries(request.env).map(([key, value]) => [key, place(value)])),
  });
  options.onSession?.(sessionId);
  let cause: StopCause | null = null;
  let stopping: Promise<unknown> = Promise.resolve();
  const stop = (why: StopCause): void => {
    if (cause !== null) return;
    cause = why;
    stopping = client.killSession(name, sessionId, { grace: `${graceMs}ms`, timeoutMs: graceMs + 30_000 });
    // Told by `settle` below; until then nobody listens.
    stopping.catch(() => undefined);
  };
  using _deadline = deadline(request.timeoutMs, () => stop('timeout'));
  using _abort = onAbort([request.signal, options.lifecycle?.signal], () => stop('abort'));
  // Not waited for: whoever forces an end is about to be gone.
  using _force = onAbort([options.lifecycle?.force], () => {
    client.killSession(name, sessionId, { grace: '0s' }).catch(() => undefined);
  });
  using _entry = options.lifecycle?.add({
    name: `the agent in sprite ${name} (session ${sessionId})`,
    phase: 'agents',
    stop: async () => {
      stop('abort');
      await stopping;
    },
  });
  await Promise.all([
    followLog(options, sessionId, 'stdout', request.onStdout),
    followLog(options, sessionId, 'stderr', request.onStderr),
  ]);
  await stopping;
  const outcome = await outcomeOf(options, sessionId, cause);
  const [program = ''] = argv;
  return { ...outcome, spawnError: await startFault(options, program, request.cwd, outcome.exitCode) };
}

/** A shell reports with 127 and 126 what can't be started; a program that ran may end with them, too. */
async function startFault(
  { client, name, dir }: SpriteHostOptions,
  program: string,
  cwd: string | undefined,
  exitCode: number | null,
): Promise<SpawnError | null> {
  if (exitCode !== 127 && exitCode !== 126) return null;
  const { exit_code: found } = await client.exec(name, [...COMMAND_STATE, program], { dir: cwd ?? dir });
  const sprite = `sprite ${quote(name)}`;
  if (found === MISSING)
    return { errno: 'ENOENT', message: `${sprite}: there is no program ${quote(program)} in it` };
  if (found === NOT_EXECUTABLE)
    return { errno: 'EACCES', message: `${sprite}: ${quote(program)} is not executable` };
  return null;
}

async function outcomeOf(
  { client, name }: SpriteHostOptions,
  sessionId: string,
  cause: StopCause | null,
): Promise<CommandOutcome> {
  const session = (await client.sessions(name)).find(({ id }) => id === sessionId);
  if (session === undefined || (session.state === 'lost' && cause === null)) {
    throw new WreckitError(
      'SESSION_LOST',
      `sprite "${name}": the agent's session ${sessionId} ended without an exit status`,
      {
        details: { sprite: name, session: sessionId },
      },
    );
  }
  return {
    exitCode: session.exit_code,
    signal: session.signal,
    timedOut: cause === 'timeout',
    aborted: cause === 'abort',
    spawnError: null,
  };
}

type ByteSink = (chunk: Uint8Array) => void | Promise<void>;

/** Every byte once and in order, whatever happens to the wisp that reads it. */
async function followLog(
  { client, name }: SpriteHostOptions,
  sessionId: string,
  stream: 'stdout' | 'stderr',
  sink: ByteSink,
): Promise<void> {
  let offset = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const chunk of client.logs(name, sessionId, {
        from: offset,
        follow: true,
        stream,
        timeoutMs: 0,
      })) {
        offset += chunk.byteLength;
        attempt = 1;
        await sink(chunk);
      }
      return;
    } catch (error) {
      if (attempt >= MAX_LOG_ATTEMPTS || !(error instanceof WreckitError) || error.exitCode !== 1)
        throw error;
    }
  }
}

/** Calls `use` with a directory in the sprite's memory that holds the request's files and prompt. */
async function withFiles<T>(
  options: SpriteHostOptions,
  request: CommandRequest,
  use: (filesDir: string) => Promise<T>,
): Promise<T> {
  const { client, name } = options;
  const contents = new Map<string, string | Uint8Array>(Object.entries(request.files ?? {}));
  if (request.stdin !== null) contents.set(STDIN_FILE, request.stdin);
  if (contents.size === 0) return await use('');
  const filesDir = `/dev/shm/wreckit-${randomBytes(8).toString('hex')}`;
  // A sprite that is gone or broken has no files to remove; what it said before counts.
  const remove = () => client.exec(name, ['rm', '-rf', '--', filesDir], { dir: '/' }).catch(() => undefined);
  try {
    for (const [file, content] of contents) await placeFile(options, [filesDir, file], content);
    const used = await use(filesDir);
    if (!isStdinAlone(request)) await remove();
    return used;
  } catch (error) {
    await remove();
    throw error;
  }
}

function isStdinAlone({ files = {}, stdin }: CommandRequest): boolean {
  return stdin !== null && Object.keys(files).length === 0;
}

async function placeFile(
  { client, name }: SpriteHostOptions,
  [dir, file]: readonly [string, string],
  content: string | Uint8Array,
): Promise<void> {
  const stdin = typeof content === 'string' ? Buffer.from(content) : content;
  const written = await client.exec(name, [...WRITE_FILE, dir, file], { dir: '/', stdin });
  if (written.exit_code === 0) return;
  throw new WreckitError(
    'SPRITE_EXEC_FAILED',
    `sprite "${name}": no place for the prompt: ${written.stderr.trim()}`,
  );
}
