/** An engine that is reached through a wisp program: each call is a verb of the contract, and its own process. */

import { SpriteRunner, type SpriteRunnerOptions } from '../../agent/sprite-runner.ts';
import { type FsVerb, fsCommand, type WispCommand } from '../../agent/wisp-client/wisp-command.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { normaliseFiles } from '../../contract/normalise.ts';
import type { Check, FileEntry, Session, Sprite, VersionData } from '../../contract/schemas.ts';
import type {
  Checkpoint,
  CheckpointOps,
  FileOps,
  GcReport,
  KillSessionResult,
  ListeningPort,
  NetworkRule,
  OutputChunk,
  OutputRequest,
  OutputStream,
  PolicyOps,
  PortOps,
  Service,
  ServiceOps,
  SessionExit,
  SessionHandle,
  SessionSpec,
  SignalSpec,
  SpriteEngine,
  SpriteFilter,
  StartSpec,
  Waiting,
} from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import type { Outcome, RunSpec } from './subject.ts';

const POLL_MS = 50;

/** What the contract has no verb for. A test that gets here asks for too much. */
function beyond(what: string): never {
  throw new Error(`no verb of the contract does this: ${what}`);
}

export class WispEngine implements SpriteEngine {
  readonly runner: SpriteRunner;
  readonly files: FileOps;
  readonly checkpoints: CheckpointOps;
  readonly policy: PolicyOps;
  readonly ports: PortOps;
  readonly services: ServiceOps;

  constructor(options: SpriteRunnerOptions) {
    this.runner = new SpriteRunner(options);
    this.files = new WispFiles(this.runner);
    this.checkpoints = new WispCheckpoints(this.runner);
    this.policy = {
      network: {
        get: async (name) => rulesIn(await this.ask(['policy', 'get'], [assertSpriteName(name)])),
        set: async (name, rules) => {
          const flags = rules.map((rule) =>
            'include' in rule ? ['--allow', 'defaults'] : [`--${rule.action}`, rule.domain],
          );
          await this.ask(['policy', 'set'], [name, ...flags.flat()]);
        },
        reset: () => beyond('policy reset'),
      },
    };
    this.ports = {
      list: this.listOf<ListeningPort>(['ports'], 'ports'),
      watch: () => beyond('ports --watch'),
      connect: () => beyond('proxy'),
    };
    const steer = (): never => beyond('service');
    this.services = {
      list: this.listOf<Service>(['service', 'list'], 'services'),
      get: steer,
      put: steer,
      remove: steer,
      start: steer,
      stop: steer,
      restart: steer,
      signal: steer,
      events: steer,
      output: steer,
    };
  }

  private listOf<T>(words: readonly string[], key: string): (name: string) => Promise<T[]> {
    return async (name) =>
      ((await this.ask(words, [assertSpriteName(name)])) as Record<string, T[]>)[key] ?? [];
  }

  private ask(words: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.runner.ask({ words, args });
  }

  version(waiting?: Waiting): Promise<VersionData> {
    return this.runner.version(waiting);
  }

  start(spec: StartSpec, waiting?: Waiting): Promise<{ sprite: Sprite; created: boolean }> {
    const { name, labels, env, network, allow, from } = spec;
    return this.runner.start(name, { labels, env, network, allow, from }, waiting);
  }

  list(filter?: SpriteFilter, waiting?: Waiting): Promise<Sprite[]> {
    return this.runner.list(filter, waiting);
  }

  info(name: string, waiting?: Waiting): Promise<Sprite> {
    return this.runner.info(name, waiting);
  }

  update(): never {
    return beyond('update');
  }

  stop(name: string, waiting?: Waiting): Promise<Sprite> {
    return this.runner.stop(name, waiting);
  }

  wake(name: string, waiting?: Waiting): Promise<Sprite> {
    return this.runner.wake(name, waiting);
  }

  async kill(name: string, waiting?: Waiting): Promise<void> {
    await this.runner.kill([name], waiting);
  }

  async openSession(name: string, spec: SessionSpec, waiting?: Waiting): Promise<SessionHandle> {
    const { command, dir, env, user } = spec;
    const { session_id: id } = await this.runner.execDetached(name, command, { dir, env, user, ...waiting });
    return new WispSession(this.runner, name, id);
  }

  async session(name: string, sessionId: string): Promise<SessionHandle> {
    return new WispSession(this.runner, name, sessionId);
  }

  sessions(name: string, waiting?: Waiting): Promise<Session[]> {
    return this.runner.sessions(name, waiting);
  }

  killSession(
    name: string,
    sessionId: string,
    { name: signalName, graceMs, only, signal }: SignalSpec = {},
  ): Promise<KillSessionResult> {
    if (only === true) beyond('one signal and no more');
    const grace = graceMs === undefined ? undefined : `${graceMs}ms`;
    return this.runner.killSession(name, sessionId, { signalName, grace, signal });
  }

  gc(options?: { dryRun?: boolean } & Waiting): Promise<GcReport> {
    return this.runner.gc(options);
  }

  doctor(waiting?: Waiting): Promise<Check[]> {
    return this.runner.doctor(waiting);
  }

  /** To its end, input and all. */
  async run(name: string, command: readonly string[], spec: RunSpec): Promise<Outcome> {
    const { dir, env, user, stdin, timeoutMs } = spec;
    const options = {
      dir,
      env,
      user,
      stdin,
      commandTimeout: timeoutMs === undefined ? undefined : `${timeoutMs}ms`,
    };
    const result = await this.runner.execCapture(name, command, { ...options, maxBytes: 64 * 1024 * 1024 });
    const { exitCode, stdout, stderr } = result;
    // Raw, a command that was ended at its time limit is 7 (TIMEOUT).
    const timedOut = timeoutMs !== undefined && exitCode === 7;
    return { exitCode, timedOut, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
  }
}

class WispSession implements SessionHandle {
  readonly tty = false;
  readonly id: string;
  readonly #runner: SpriteRunner;
  readonly #name: string;

  constructor(runner: SpriteRunner, name: string, id: string) {
    this.#runner = runner;
    this.#name = name;
    this.id = id;
  }

  async info(): Promise<Session> {
    return (await this.#runner.attach(this.#name, this.id)).session;
  }

  async *output({
    stdoutFrom = 0,
    stderrFrom = 0,
    follow = false,
    signal,
  }: OutputRequest = {}): AsyncGenerator<OutputChunk> {
    if (follow) await this.exit({ signal });
    for (const [stream, from] of [
      ['stdout', stdoutFrom],
      ['stderr', stderrFrom],
    ] as const) {
      yield* this.#log(stream, from, signal);
    }
  }

  async *#log(
    stream: OutputStream,
    from: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<OutputChunk> {
    let offset = from;
    for await (const bytes of this.#runner.logs(this.#name, this.id, { stream, from, signal })) {
      yield { stream, offset, bytes, droppedBytes: 0 };
      offset += bytes.length;
    }
  }

  write(): never {
    return beyond('input while it runs');
  }

  closeStdin(): never {
    return beyond('input while it runs');
  }

  resize(): never {
    return beyond('resize');
  }

  async exit({ signal }: Waiting = {}): Promise<SessionExit> {
    for (;;) {
      signal?.throwIfAborted();
      const session = (await this.#runner.sessions(this.#name, { signal })).find(({ id }) => id === this.id);
      if (session === undefined || session.state !== 'running') {
        return { exitCode: session?.exit_code ?? null, signal: session?.signal ?? null, timedOut: false };
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held: each call was a process of its own.
  }
}

class WispFiles implements FileOps {
  readonly #runner: SpriteRunner;

  constructor(runner: SpriteRunner) {
    this.#runner = runner;
  }

  async #fs(
    verb: FsVerb,
    name: string,
    paths: readonly string[],
    more: readonly string[] = [],
  ): Promise<unknown> {
    return await this.#runner.ask(fsCommand(verb, name, paths, more));
  }

  async *read(name: string, path: string): AsyncGenerator<Uint8Array> {
    yield await this.#runner.readFile(name, path, { maxBytes: 64 * 1024 * 1024 });
  }

  async write(
    name: string,
    path: string,
    content: AsyncIterable<Uint8Array>,
    options: { mode?: string | undefined } = {},
  ): Promise<{ sizeBytes: number }> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    await this.#runner.writeFile(name, path, bytes, { mode: options.mode });
    return { sizeBytes: bytes.length };
  }

  async list(name: string, path: string): Promise<FileEntry[]> {
    return normaliseFiles(await this.#fs('ls', name, [path]), 'fs ls').items;
  }

  async remove(name: string, path: string, options: { recursive?: boolean } = {}): Promise<void> {
    await this.#fs('rm', name, [path], options.recursive === true ? ['--recursive'] : []);
  }

  async makeDir(name: string, path: string): Promise<void> {
    await this.#fs('mkdir', name, [path]);
  }

  async move(name: string, from: string, to: string): Promise<void> {
    await this.#fs('mv', name, [from, to]);
  }

  async chmod(name: string, path: string, mode: string): Promise<void> {
    await this.#fs('chmod', name, [path], [mode]);
  }

  async unpack(name: string, path: string, tar: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#runner.push(name, tar, path);
  }

  pack(name: string, path: string): AsyncIterable<Uint8Array> {
    return this.#runner.pull(name, path);
  }

  copy(): never {
    return beyond('copy');
  }

  chown(): never {
    return beyond('chown');
  }

  watch(): never {
    return beyond('watch');
  }
}

class WispCheckpoints implements CheckpointOps {
  readonly #runner: SpriteRunner;

  constructor(runner: SpriteRunner) {
    this.#runner = runner;
  }

  async #ask(verb: string, name: string, more: readonly string[] = []): Promise<Record<string, unknown>> {
    const command: WispCommand = { words: ['checkpoint', verb], args: [assertSpriteName(name), ...more] };
    return (await this.#runner.ask(command)) as Record<string, unknown>;
  }

  async create(name: string, options: { comment?: string | undefined } = {}): Promise<Checkpoint> {
    const more = options.comment === undefined ? [] : ['--comment', options.comment];
    return (await this.#ask('create', name, more)).checkpoint as Checkpoint;
  }

  async list(name: string): Promise<Checkpoint[]> {
    return (await this.#ask('list', name)).checkpoints as Checkpoint[];
  }

  get(): never {
    return beyond('one checkpoint');
  }

  async restore(name: string, checkpointId: string): Promise<{ restored: Checkpoint; backup: Checkpoint }> {
    const { checkpoint, backup } = await this.#runner.restoreCheckpoint(name, checkpointId);
    const known = await this.list(name);
    const named = (id: string | undefined): Checkpoint => {
      const found = known.find((one) => one.id === id);
      if (found !== undefined) return found;
      throw new WreckitError('CHECKPOINT_NOT_FOUND', `checkpoint ${id}: it is not in the list`);
    };
    return { restored: named(checkpoint.id), backup: named(backup?.id) };
  }

  async remove(name: string, checkpointId: string): Promise<void> {
    await this.#ask('delete', name, [checkpointId]);
  }
}

function rulesIn(data: unknown): readonly NetworkRule[] {
  return (data as { rules: readonly NetworkRule[] }).rules;
}

/** The reasons why parts of the suite are not for a wisp program. */
export const BEYOND_VERBS = {
  update: 'no verb changes labels',
  'live-input': 'exec feeds a command from its own stdin, and the suite gives no pipe',
  terminal: 'tested with a real terminal in src/__tests__/wisp/attach.test.ts',
  'signal-name': 'kill-session goes on to SIGKILL',
  'read-errors': 'fs read passes bytes through: its exit code alone tells of a failure',
  'port-talk': 'proxy and ports --watch are tested in src/__tests__/wisp',
  'service-control': 'the service verbs are tested in src/__tests__/wisp',
  ranges: 'fs read reads whole files',
  'recursive-list': 'fs ls lists one directory',
  copy: 'no verb copies inside a sprite',
  chown: 'no verb gives files away',
  'watch-files': 'no verb watches files',
  'checkpoint-get': 'checkpoint list shows all',
} as const;
