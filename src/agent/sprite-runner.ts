/**
 * Sprites through a `wisp` program, as a child process: argv in, one JSON document or raw bytes out.
 *
 *   method ─▶ wisp-command (checked argv) ─▶ wisp-caller (program, handshake, environment, deadline)
 *          ─▶ wisp-call (run, conclude) ─▶ contract/normalise ─▶ data, or one WreckitError
 */
import { isObject } from '../contract/json-value.ts';
import {
  normaliseChecks,
  normaliseFiles,
  normaliseGc,
  normaliseKilled,
  normaliseVersion,
} from '../contract/normalise.ts';
import type { Normalised } from '../contract/normalise-list.ts';
import {
  normaliseAttach,
  normaliseExec,
  normaliseKilledSession,
  normaliseSessions,
} from '../contract/normalise-session.ts';
import { normaliseSprites } from '../contract/normalise-sprite.ts';
import { protocolError } from '../contract/parse.ts';
import type {
  AttachData,
  Check,
  ExecData,
  FileEntry,
  GcItem,
  Session,
  Sprite,
  VersionData,
} from '../contract/schemas.ts';
import { SpriteKillError, SpriteStartError, WreckitError } from '../errors.ts';
import type { StdinSource } from '../process/run.ts';
import { checkpointIn, spriteNamed } from './wisp-client/answers.ts';
import { writeEnvFile } from './wisp-client/env-file.ts';
import { execDetails, execFlags, MAX_EXEC_ANSWER_BYTES } from './wisp-client/exec-call.ts';
import {
  type CallDetails,
  type OwnCall,
  WispCaller,
  type WispCallerOptions,
} from './wisp-client/wisp-caller.ts';
import type {
  Checkpoint,
  KillSessionOptions,
  LogsOptions,
  PassThroughOptions,
  SpriteCapture,
  SpriteCaptureOptions,
  SpriteExecOptions,
  SpriteListFilter,
  SpriteStarted,
  SpriteStartSpec,
  WispCallOptions,
  WispClient,
} from './wisp-client/wisp-client.ts';
import {
  attachCommand,
  createCheckpointCommand,
  execCommand,
  fsCommand,
  gcCommand,
  killCommand,
  killSessionCommand,
  listCommand,
  logsCommand,
  nameCommand,
  pullCommand,
  pushCommand,
  restoreCheckpointCommand,
  startCommand,
  type WispCommand,
  wakeCommand,
} from './wisp-client/wisp-command.ts';

export type SpriteRunnerOptions = WispCallerOptions;

export class SpriteRunner implements WispClient {
  readonly #caller: WispCaller;

  constructor(options: SpriteRunnerOptions = {}) {
    this.#caller = new WispCaller(options);
  }

  /** True for the wisp of this package, whose sprites have its own layout and flags. */
  get isBundled(): boolean {
    return this.#caller.resolve().origin === 'bundled';
  }

  /** `fly`: Fly's `sprite` command, which can start, list, exec, attach and kill. */
  get dialect(): 'wisp' | 'fly' {
    return this.#caller.resolve().dialect;
  }

  /** Throws `UNSUPPORTED` where files can be neither pushed nor pulled, before anything is started. */
  assertCanRunAgents(): void {
    if (this.dialect === 'wisp') return;
    const what = "agent.wispPath is Fly's sprite command, which cannot push the project or pull its changes";
    throw new WreckitError('UNSUPPORTED', `run: ${what}`, {
      hint: 'remove agent.wispPath to use the bundled wisp, for the cloud with --engine cloud',
      details: { wisp_path: this.#caller.resolve().path },
    });
  }

  /** The argv of each run of a call, for `--dry-run`; nothing is run. */
  commandLines(command: WispCommand, { json = true } = {}): string[][] {
    return this.#caller.commandLines(command, json);
  }

  /** What `passThrough` would start, where that may be done by becoming it (process/become.ts). */
  ownCall(command: WispCommand): OwnCall | null {
    return this.#caller.ownCall(command);
  }

  /** `data` of any call, as wisp answered it. */
  async ask(command: WispCommand, options?: CallDetails): Promise<unknown> {
    return (await this.#caller.ask(command, options)).data;
  }

  /**
   * Hands the streams of this process over: bytes never pass through it. `stdin` is empty unless it is asked
   * for. Resolves with wisp's exit code, which for `exec` is the command's.
   */
  async passThrough(command: WispCommand, options: PassThroughOptions = {}): Promise<number> {
    const { stdin = false, stdout = 'inherit', stderr = 'inherit', timeoutMs = 0, ...details } = options;
    const source = typeof stdin === 'boolean' ? (stdin ? 'inherit' : 'ignore') : stdin;
    const result = await this.#caller.stream(
      command,
      { stdout, stderr },
      { ...details, timeoutMs, stdin: source },
    );
    return result.exitCode ?? 125;
  }

  async version(options?: WispCallOptions): Promise<VersionData> {
    const { data } = await this.#caller.ask({ words: ['version'], args: [] }, options);
    const version = normaliseVersion(data);
    if (version === undefined) throw protocolError('version', 'its answer has no engine and protocol');
    return version;
  }

  async countsSprites(options?: WispCallOptions): Promise<boolean> {
    return await this.#caller.has('max-sprites', options?.signal);
  }

  async start(name: string, spec?: SpriteStartSpec, options?: WispCallOptions): Promise<SpriteStarted> {
    const { data } = await this.#caller.ask(startCommand(name, spec), options);
    const sprite = spriteNamed(name, data, 'start');
    if (sprite.state === 'error') {
      throw new SpriteStartError(`start sprite "${name}": ${sprite.error ?? 'it is in state error'}`);
    }
    return { sprite, created: isObject(data) && data.created === true };
  }

  async list(filter?: SpriteListFilter, options?: WispCallOptions): Promise<Sprite[]> {
    const { data } = await this.#caller.ask(listCommand(filter), options);
    return this.#items(normaliseSprites(data, 'list'));
  }

  async info(name: string, options?: WispCallOptions): Promise<Sprite> {
    return await this.#oneSprite('info', name, options);
  }

  async stop(name: string, options?: WispCallOptions): Promise<Sprite> {
    return await this.#oneSprite('stop', name, options);
  }

  async wake(
    name: string,
    { keep, ...options }: WispCallOptions & { keep?: string | undefined } = {},
  ): Promise<Sprite> {
    const { data } = await this.#caller.ask(wakeCommand(name, keep), options);
    return spriteNamed(name, data, 'wake');
  }

  async kill(names: readonly string[], options?: WispCallOptions): Promise<string[]> {
    const { data } = await this.#caller.ask(killCommand(names), options);
    const killed = normaliseKilled(data);
    const left = names.filter((name) => !killed.includes(name));
    if (left.length === 0) return killed;
    throw new SpriteKillError(`kill sprites: wisp did not say that ${left.join(', ')} is gone`, {
      details: { killed, left },
    });
  }

  /** Sprites by label; resolves with the names that are gone, which may be none. */
  async killLabelled(labels: Readonly<Record<string, string>>, options?: WispCallOptions): Promise<string[]> {
    const { data } = await this.#caller.ask(killCommand([], labels), options);
    return normaliseKilled(data);
  }

  async exec(name: string, command: readonly string[], options: SpriteExecOptions = {}): Promise<ExecData> {
    return await this.#exec(name, command, options, false);
  }

  async execDetached(
    name: string,
    command: readonly string[],
    options: SpriteExecOptions = {},
  ): Promise<ExecData> {
    return await this.#exec(name, command, options, true);
  }

  async execCapture(
    name: string,
    command: readonly string[],
    options: SpriteCaptureOptions = {},
  ): Promise<SpriteCapture> {
    using envFile = this.#envFile(options.env);
    const flags = execFlags(options, options.stdin, envFile?.path);
    const output = { stdout: options.stdout ?? 'capture', stderr: options.stderr ?? 'capture' };
    const result = await this.#caller.stream(execCommand(name, command, flags), output, execDetails(options));
    const { stdout, stderr, truncatedBytes, durationMs } = result;
    // A program without an exit code has been reported as an error already.
    return { exitCode: result.exitCode ?? 125, stdout, stderr, truncatedBytes, durationMs };
  }

  async attach(name: string, sessionId?: string, options?: WispCallOptions): Promise<AttachData> {
    const { data } = await this.#caller.ask(attachCommand(name, sessionId), options);
    return normaliseAttach(data);
  }

  async sessions(name: string, options?: WispCallOptions): Promise<Session[]> {
    const { data } = await this.#caller.ask(nameCommand('sessions', name), options);
    return this.#items(normaliseSessions(data, 'sessions'));
  }

  logs(name: string, sessionId: string, options: LogsOptions = {}): AsyncIterable<Uint8Array> {
    const { from, follow, stream, ...call } = options;
    return this.#caller.read(logsCommand(name, sessionId, { from, follow, stream }), call);
  }

  async killSession(
    name: string,
    sessionId: string,
    options: KillSessionOptions = {},
  ): Promise<{ exitCode: number | null; alreadyGone: boolean }> {
    const { signalName, grace, ...call } = options;
    const { data } = await this.#caller.ask(killSessionCommand(name, sessionId, { signalName, grace }), call);
    const killed = normaliseKilledSession(data);
    return { exitCode: killed.exit_code, alreadyGone: killed.already_gone };
  }

  async readFile(
    name: string,
    path: string,
    options?: WispCallOptions & { maxBytes?: number | undefined },
  ): Promise<Uint8Array> {
    return await this.#caller.readAll(fsCommand('read', name, [path]), options);
  }

  async writeFile(
    name: string,
    path: string,
    content: Exclude<StdinSource, 'inherit'>,
    options: WispCallOptions & { mode?: string | undefined } = {},
  ): Promise<void> {
    const { mode, ...call } = options;
    const command = fsCommand('write', name, [path], mode === undefined ? [] : ['--mode', mode]);
    await this.#caller.ask(command, { ...call, stdin: content });
  }

  async listFiles(name: string, path: string, options?: WispCallOptions): Promise<FileEntry[]> {
    const { data } = await this.#caller.ask(fsCommand('ls', name, [path]), options);
    return this.#items(normaliseFiles(data, 'fs ls'));
  }

  async push(
    name: string,
    tar: AsyncIterable<Uint8Array>,
    dst: string,
    options: WispCallOptions = {},
  ): Promise<void> {
    await this.#caller.ask(pushCommand(name, dst), { ...options, stdin: tar });
  }

  pull(name: string, src: string, options?: WispCallOptions): AsyncIterable<Uint8Array> {
    return this.#caller.read(pullCommand(name, src), options);
  }

  async createCheckpoint(
    name: string,
    options: WispCallOptions & { comment?: string | undefined } = {},
  ): Promise<Checkpoint> {
    const { comment, ...call } = options;
    const { data } = await this.#caller.ask(createCheckpointCommand(name, comment), call);
    return checkpointIn(data, 'checkpoint create');
  }

  async restoreCheckpoint(
    name: string,
    checkpointId: string,
    options?: WispCallOptions,
  ): Promise<{ checkpoint: Checkpoint; backup: Checkpoint | null }> {
    const { data } = await this.#caller.ask(restoreCheckpointCommand(name, checkpointId), options);
    const backup =
      isObject(data) && isObject(data.backup) ? checkpointIn(data.backup, 'checkpoint restore') : null;
    return { checkpoint: checkpointIn(data, 'checkpoint restore'), backup };
  }

  async gc(
    options: WispCallOptions & { dryRun?: boolean | undefined } = {},
  ): Promise<{ removed: GcItem[]; kept: GcItem[] }> {
    const { dryRun, ...call } = options;
    const { data } = await this.#caller.ask(gcCommand(dryRun === true), call);
    return normaliseGc(data);
  }

  async doctor(options?: WispCallOptions): Promise<Check[]> {
    const { data } = await this.#caller.ask({ words: ['doctor'], args: [] }, options);
    return normaliseChecks(data);
  }

  async #oneSprite(verb: 'info' | 'stop', name: string, options?: WispCallOptions): Promise<Sprite> {
    const { data } = await this.#caller.ask(nameCommand(verb, name), options);
    return spriteNamed(name, data, verb);
  }

  async #exec(
    name: string,
    command: readonly string[],
    options: SpriteExecOptions,
    detach: boolean,
  ): Promise<ExecData> {
    using envFile = this.#envFile(options.env);
    const flags = {
      ...execFlags(options, options.stdin, envFile?.path),
      maxOutput: options.maxOutput,
      detach,
    };
    const details = { ...execDetails(options), hasOwnExitCode: true, maxBytes: MAX_EXEC_ANSWER_BYTES };
    const { data } = await this.#caller.ask(execCommand(name, command, flags), details);
    return normaliseExec(data, detach);
  }

  #envFile(env: Readonly<Record<string, string>> | undefined): ReturnType<typeof writeEnvFile> | undefined {
    return env === undefined ? undefined : writeEnvFile(env, this.#caller.env);
  }

  #items<T>({ items, warnings }: Normalised<T>): T[] {
    for (const warning of warnings) this.#caller.warn(warning);
    return items;
  }
}
