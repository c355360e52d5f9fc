/** What all calls of one wisp program have in common: its handshake, environment, deadline and listeners. */
import { join } from 'node:path';
import type { WispAnswer } from '../../contract/parse.ts';
import { formatBytes } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';
import { packageRoot } from '../../package-root.ts';
import type { RunOptions, RunResult } from '../../process/run.ts';
import { bothTokens, wispEnv } from './child-env.ts';
import { argvFor, plannedArgvs } from './dialect/dialect.ts';
import { callWisp, type RawOutput, streamFailure, streamWisp, type WispCall } from './wisp-call.ts';
import type { WispCallOptions } from './wisp-client.ts';
import { verbOf, type WispCommand } from './wisp-command.ts';
import { resolveWisp, type WispProgram } from './wisp-program.ts';
import { streamOut } from './wisp-stream.ts';

export interface WispCallerOptions {
  /** A path, or a name on PATH; the bundled wisp when absent. */
  readonly wispPath?: string | undefined;
  /** What a relative `wispPath` is relative to; `cwd` when absent. */
  readonly wispPathBase?: string | undefined;
  /** The environment wisp's is taken from by allow-list; the parent's when absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** wisp's working directory, and so the base of relative paths in its arguments; the parent's when absent. */
  readonly cwd?: string | undefined;
  /** Which engine wisp is to use; its own choice when absent. */
  readonly engine?: string | undefined;
  /** Of the sprite cloud. */
  readonly token?: string | undefined;
  /** Deadline of a call that names none: 300 s when absent, none when 0. */
  readonly timeoutMs?: number | undefined;
  /** What a wisp that is to end may take to clean up before it is killed: 8 s when absent. */
  readonly graceMs?: number | undefined;
  /** What the user should know of an answer: entries left out, lines printed around the document. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** What wisp said on stderr. */
  readonly onTalk?: ((text: string) => void) | undefined;
}

export interface CallDetails extends WispCallOptions, Pick<RunOptions, 'stdin' | 'maxBytes' | 'onSpawn'> {
  readonly hasOwnExitCode?: boolean | undefined;
}

export interface StreamDetails extends CallDetails {
  /** The bytes let through are wisp's JSON. */
  readonly json?: boolean | undefined;
}

export interface OwnCall {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

interface CompatibleProgram {
  readonly program: WispProgram;
  /** What it says it has; the bundled one is not asked. */
  readonly capabilities: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 300_000;
const DEFAULT_READ_BYTES = 8 * 1024 * 1024;

export class WispCaller {
  readonly env: Readonly<Record<string, string>>;
  readonly #options: WispCallerOptions;
  #program: Promise<CompatibleProgram> | undefined;

  constructor(options: WispCallerOptions = {}) {
    this.#options = options;
    this.env = wispEnv(options.env ?? process.env, { token: options.token });
  }

  /** Throws `WISP_NOT_FOUND`, `WISP_INCOMPATIBLE`. Nothing is run. */
  resolve(): WispProgram {
    const { wispPath, wispPathBase, cwd, env } = this.#options;
    return resolveWisp({ wispPath, cwd: wispPathBase ?? cwd, env });
  }

  async ask(command: WispCommand, details: CallDetails = {}): Promise<WispAnswer> {
    const answer = await this.#answer(await this.#call(command, details));
    for (const line of answer.noise) this.warn(`wisp printed around its answer: ${line}`);
    return answer;
  }

  async stream(command: WispCommand, output: RawOutput, details: StreamDetails = {}): Promise<RunResult> {
    const { json, ...rest } = details;
    const call = await this.#call(command, rest);
    const result = await streamWisp(call, output, json);
    if (call.program.dialect === 'fly' && verbOf(command) === 'exec') {
      const { exitCodeDoubt } = await import('./dialect/fly-verbs.ts');
      const doubt = exitCodeDoubt(result.exitCode);
      if (doubt !== null) this.warn(`exec: ${doubt}`);
    }
    return result;
  }

  /** Whether the program says of itself that it has something. The engine of this machine has all there is. */
  async has(capability: string, signal?: AbortSignal): Promise<boolean> {
    const engine = this.#options.engine ?? (this.env.WISP_ENGINE || 'local');
    const { program, capabilities } = await this.#compatible(signal);
    return program.origin === 'bundled' ? engine === 'local' : capabilities.includes(capability);
  }

  /** The call as it would be run, of the wisp of this package; null for another, which is to be watched. */
  ownCall(command: WispCommand): OwnCall | null {
    const program = this.resolve();
    if (program.origin !== 'bundled') return null;
    const { cwd, engine } = this.#options;
    const [first, ...rest] = argvFor(program, command, { json: false, engine });
    return first === undefined ? null : { argv: [first, ...rest], cwd, env: { ...this.env, ...program.env } };
  }

  /** What would be run, as one would type it. */
  commandLines(command: WispCommand, json: boolean): string[][] {
    const program = this.resolve();
    const launcher = [join(packageRoot(), 'bin', 'wisp')];
    const argv = program.origin === 'bundled' ? launcher : program.argv;
    return plannedArgvs({ ...program, argv }, command, { json, engine: this.#options.engine });
  }

  /** All of stdout, at most `maxBytes` of it. Throws for any exit code but 0. */
  async readAll(command: WispCommand, details: CallDetails = {}): Promise<Uint8Array> {
    const call = await this.#call(command, { maxBytes: DEFAULT_READ_BYTES, ...details });
    const result = await streamWisp(call, { stdout: 'capture', stderr: 'capture' });
    if (result.exitCode !== 0) throw streamFailure(result, call);
    if (result.stdoutTruncatedBytes === 0) return result.stdout;
    const sizeBytes = (details.maxBytes ?? DEFAULT_READ_BYTES) + result.stdoutTruncatedBytes;
    throw new WreckitError(
      'USAGE',
      `wisp ${verbOf(command)}: ${formatBytes(sizeBytes)} are more than asked for`,
      {
        hint: 'read it as a stream, or a part of it',
        details: { size_bytes: sizeBytes, max_bytes: details.maxBytes },
      },
    );
  }

  /** stdout alone, chunk by chunk. */
  async *read(command: WispCommand, details: CallDetails = {}): AsyncGenerator<Uint8Array> {
    yield* streamOut(await this.#call(command, details));
  }

  warn(text: string): void {
    this.#options.onWarning?.(text);
  }

  async #call(command: WispCommand, details: CallDetails): Promise<WispCall> {
    details.signal?.throwIfAborted();
    const { program } = await this.#compatible(details.signal);
    const { cwd, engine, onTalk, graceMs } = this.#options;
    const timeoutMs = details.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const env = { ...(program.dialect === 'fly' ? bothTokens(this.env) : this.env), ...program.env };
    return { ...details, program, command, env, cwd, engine, timeoutMs, graceMs, onTalk };
  }

  async #answer(call: WispCall): Promise<WispAnswer> {
    if (call.program.dialect === 'wisp') return await callWisp(call);
    const { askFly } = await import('./dialect/fly-verbs.ts');
    return await askFly(call, (text) => this.warn(text));
  }

  #compatible(signal: AbortSignal | undefined): Promise<CompatibleProgram> {
    this.#program ??= this.#shakeHands(signal).catch((thrown: unknown) => {
      this.#program = undefined;
      throw thrown;
    });
    return this.#program;
  }

  async #shakeHands(signal: AbortSignal | undefined): Promise<CompatibleProgram> {
    const program = this.resolve();
    if (program.origin === 'bundled') return { program, capabilities: [] };
    const { assertCompatible } = await import('./handshake.ts');
    const version = await assertCompatible(program, { env: this.env, signal });
    return { program, capabilities: version?.capabilities ?? [] };
  }
}
