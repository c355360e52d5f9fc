/**
 * `AxCodeSession` over an interpreter in a sprite.
 *
 *   execute ─▶ run ─▶ ◀─ call ─ our functions (tools, llmQuery, final) ─ answer ─▶ … ◀─ done
 *      │ too long, crashed ─▶ this turn fails and says so; the next one has a new interpreter with the same globals
 *      └ aborted, closed   ─▶ at once, and the interpreter is ended
 *
 * What was set up in the interpreter (globals, Ax's own snippets) is kept in order and repeated in a new one.
 */
import { quote } from '../../../contract/names.ts';
import { formatDuration } from '../../../contract/units.ts';
import { onAbort, orAborted } from '../../../process/abort.ts';
import type { AxCodeSession } from '../../vendor/ax.ts';
import { CodeClock } from './code-clock.ts';
import type { CodeLanguage, InterpreterPlace } from './code-language.ts';
import { InterpreterProcess } from './interpreter-process.ts';
import { type CallMessage, type CodeError, type DoneMessage, Encoder, type FromSupervisor } from './wire.ts';

export interface CodeSessionOptions {
  readonly place: InterpreterPlace;
  readonly language: CodeLanguage;
  /** Most time that one run of code may use by itself; waiting for functions of ours is free. */
  readonly codeMs: number;
  /** Called before code of the model's runs, and with what became of it. */
  readonly onCode?: ((code: string) => Promise<void>) | undefined;
  readonly onCodeEnd?: ((code: string, end: CodeEnd) => Promise<void>) | undefined;
  /** No interpreter can be had any more: the run is over. */
  readonly onFatal: (error: unknown) => void;
}

export interface CodeEnd {
  readonly output: string;
  readonly error: string | null;
  /** It called final(), respond() or askClarification(), which end the stage, and the code itself with an error. */
  readonly endsStage: boolean;
}

type Globals = Readonly<Record<string, unknown>>;
type Step = { readonly globals: Globals } | { readonly snippet: string };

type Request =
  | { readonly type: 'run'; readonly code: string }
  | { readonly type: 'inspect'; readonly reserved: readonly string[] };

interface Pending {
  readonly id: number;
  readonly process: InterpreterProcess;
  readonly clock: CodeClock;
  readonly resolve: (done: DoneMessage) => void;
  readonly reject: (error: unknown) => void;
  /** Of a function, to be thrown as it is when the code has ended. */
  bubbled?: { readonly error: unknown };
}

interface Live {
  readonly process: InterpreterProcess;
  readonly encoder: Encoder;
}

type Extra = { readonly signal?: AbortSignal | undefined; readonly reservedNames?: readonly string[] };

/** Begins the code that Ax itself runs in a session: see AX_HOST_SNIPPET_MARKER there. */
const SNIPPET_MARK = '/* ax:host-snippet */';
/** Name of the error by which Ax's own functions end a stage. */
const STAGE_END = 'AxAgentProtocolCompletionSignal';
const MAX_CALLS_AT_ONCE = 32;
const RESTARTED =
  'the interpreter was started anew: all variables are lost, except inputs and what is given to you';

export class SpriteCodeSession implements AxCodeSession, AsyncDisposable {
  readonly #options: CodeSessionOptions;
  readonly #shouldBubble: (error: unknown) => boolean;
  readonly #steps: Step[] = [];
  readonly #processes: InterpreterProcess[] = [];
  #live: Promise<Live> | null = null;
  #pending: Pending | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #lastId = 0;
  #endsStage = false;
  #callsAtOnce = 0;
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(options: CodeSessionOptions, globals: Globals, shouldBubble: (error: unknown) => boolean) {
    this.#options = options;
    this.#shouldBubble = shouldBubble;
    this.#steps.push({ globals });
  }

  async execute(code: string, { signal, reservedNames = [] }: Extra = {}): Promise<unknown> {
    const taken = reservedNames.find((name) => this.#options.language.declares(code, name));
    if (taken !== undefined)
      throw new Error(`[POLICY] ${quote(taken)} is given to you and cannot be declared: use another name`);
    if (code.startsWith(SNIPPET_MARK)) {
      const done = await this.#inOrder(signal, () => this.#run({ type: 'run', code }));
      this.#steps.push({ snippet: code });
      return done.value;
    }
    const { onCode, onCodeEnd } = this.#options;
    await onCode?.(code);
    this.#endsStage = false;
    const end = { output: '', error: null as string | null };
    try {
      const { value, output } = await this.#inOrder(signal, () => this.#run({ type: 'run', code }));
      end.output = output === '' ? (value ?? '') : output;
      return output === '' ? (value ?? undefined) : output;
    } catch (error) {
      end.error = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      await onCodeEnd?.(code, { ...end, endsStage: this.#endsStage });
    }
  }

  async inspectGlobals({ signal, reservedNames: reserved = [] }: Extra = {}): Promise<string> {
    const { value } = await this.#inOrder(signal, () => this.#run({ type: 'inspect', reserved }));
    return value ?? '';
  }

  async patchGlobals(globals: Globals, { signal }: Extra = {}): Promise<void> {
    await this.#inOrder(signal, async () => {
      this.#steps.push({ globals });
      if (this.#live === null) return;
      const { process, encoder } = await this.#live;
      for (const message of encoder.encode(globals)) process.send(message);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#discard(new Error('Session is closed'));
  }

  /** Resolves when nothing of its interpreters is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.all(this.#processes.map((process) => process.ended));
  }

  /** One thing after the other; an abort ends the interpreter and does not wait. */
  async #inOrder<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('Session is closed');
    if (signal?.aborted) throw aborted(signal);
    const turn = this.#queue.then(act);
    this.#queue = turn.catch(() => undefined);
    using _abort = onAbort([signal], () => {
      if (signal !== undefined) this.#discard(aborted(signal));
    });
    try {
      return await orAborted(turn, signal);
    } catch (error) {
      throw signal?.aborted ? aborted(signal) : error;
    }
  }

  async #run(request: Request): Promise<DoneMessage> {
    return await this.#ask(await this.#interpreter(), request);
  }

  async #ask({ process }: Live, request: Request): Promise<DoneMessage> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { codeMs } = this.#options;
    using clock = new CodeClock(codeMs, () =>
      this.#discard(
        new Error(`the code was stopped after ${formatDuration(codeMs)} of its own; ${RESTARTED}`),
      ),
    );
    const waiting = new Promise<DoneMessage>((resolve, reject) => {
      this.#pending = { id, process, clock, resolve, reject };
    });
    process.send({ ...request, id });
    try {
      return await waiting;
    } finally {
      this.#pending = null;
    }
  }

  /** The one there is, or a new one set up like the last. */
  #interpreter(): Promise<Live> {
    if (this.#isClosed) return Promise.reject(new Error('Session is closed'));
    this.#live ??= this.#startAnew().catch((error: unknown) => {
      this.#options.onFatal(error);
      throw error;
    });
    return this.#live;
  }

  async #startAnew(): Promise<Live> {
    const encoder = new Encoder();
    const process = new InterpreterProcess(this.#options.place, this.#options.language);
    const live = { process, encoder };
    process.onMessage = (message) => this.#take(live, message);
    this.#processes.push(process);
    await process.ready;
    void process.ended.then((why) => this.#lost(process, why));
    for (const step of this.#steps) {
      if ('snippet' in step) await this.#ask(live, { type: 'run', code: step.snippet });
      else for (const message of encoder.encode(step.globals)) process.send(message);
    }
    return live;
  }

  #lost(process: InterpreterProcess, why: string): void {
    const isCurrent = this.#processes.at(-1) === process;
    if (isCurrent) this.#discard(new Error(`the interpreter is gone: ${why}; ${RESTARTED}`));
    else if (this.#pending?.process === process) this.#pending.reject(new Error(why));
  }

  /** Ends the interpreter, and what waits for it with `error`. */
  #discard(error: Error): void {
    this.#live = null;
    this.#pending?.reject(error);
    // Its end is waited for when the session is disposed.
    void this.#processes.at(-1)?.[Symbol.asyncDispose]();
  }

  #take(live: Live, message: FromSupervisor): void | Promise<void> {
    if (message.type === 'call') {
      const turn = this.#turn();
      // Never rejects: what the function throws is its answer.
      void this.#call(live, message, turn);
      // Calls that have to wait do so in the sprite, not in the memory of this machine.
      return turn instanceof Promise ? turn.then(() => undefined) : undefined;
    }
    const pending = this.#pending;
    if (message.type !== 'done' || pending?.id !== message.id) return;
    if (pending.bubbled !== undefined) pending.reject(pending.bubbled.error);
    else if (message.error === null) pending.resolve(message);
    else pending.reject(codeError(message));
  }

  async #call(
    { process, encoder }: Live,
    { id, ref, args }: CallMessage,
    turn: Disposable | Promise<Disposable>,
  ): Promise<void> {
    const pending = this.#pending;
    using _pause = pending?.clock.pause();
    const called = encoder.functionOf(ref);
    // Not awaited where it need not be: final() is known before the code that called it has ended.
    using _turn = turn instanceof Promise ? await turn : turn;
    try {
      if (called === undefined) throw new Error('there is no such function');
      const value = await called(...args);
      process.send({ type: 'answer', id, ...(value === undefined ? {} : { value }) });
    } catch (error) {
      if (error instanceof Error && error.name === STAGE_END) this.#endsStage = true;
      if (pending !== null && this.#shouldBubble(error)) pending.bubbled ??= { error };
      process.send({ type: 'answer', id, error: nameAndMessage(error) });
    }
  }

  /** A loop over a thousand calls does not make a thousand at once. Without waiting where there is room. */
  #turn(): Disposable | Promise<Disposable> {
    const turn = {
      [Symbol.dispose]: () => {
        this.#callsAtOnce -= 1;
        this.#waiting.shift()?.();
      },
    };
    const take = (): Disposable => {
      this.#callsAtOnce += 1;
      return turn;
    };
    if (this.#callsAtOnce < MAX_CALLS_AT_ONCE) return take();
    return new Promise((resolve) => this.#waiting.push(() => resolve(take())));
  }
}

/** What the code printed before it failed is often what the model needs to see why. */
function codeError({ error, output }: DoneMessage): Error {
  const { name, message } = error ?? { name: 'Error', message: '' };
  const printed = output === '' ? '' : `\nprinted before: ${output.slice(-2000)}`;
  const thrown = new Error(`${message}${printed}`);
  thrown.name = name;
  return thrown;
}

function nameAndMessage(error: unknown): CodeError {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) };
}

function aborted({ reason }: AbortSignal): Error {
  return new Error(`Aborted: ${reason instanceof Error ? reason.message : String(reason)}`);
}
