/**
 * The code loop (Ax's agent): the model writes code over material it never reads as a whole.
 *
 *   distiller: looks into the context ─▶ executor: calls tools ─▶ responder: words the answer
 *        └ each turn is code, run in an interpreter inside a sprite (interpreter/) ┘
 *
 * All three, and llmQuery from the code, spend from one budget. Ax makes an answer of whatever there is when a
 * stage is out of turns, which looks like a success; here that is `limit_reached`, with what was found so far.
 */
import { toWreckitError } from '../../errors.ts';
import { redact } from '../../logging.ts';
import { onAbort, orAborted } from '../../process/abort.ts';
import type { AgentEvent } from '../agent-events.ts';
import type { ToolRegistry } from '../rlm-tools.ts';
import type { AxAgentConfig, AxAIService, AxCodeRuntime, AxGenIn, AxGenOut } from '../vendor/ax.ts';
import type { Budget } from './budget.ts';
import { CircleDetector } from './circle-detector.ts';
import { codeFunctions } from './code-functions.ts';
import { type ContextDocument, contextIndex } from './context-documents.ts';
import type { InterpreterPlace } from './interpreter/code-language.ts';
import type { CodeEnd } from './interpreter/sprite-code-session.ts';
import {
  ABORTED,
  COMPLETED,
  type Ending,
  ended,
  type LoopEnd,
  outOfBudget,
  outOfRoom,
  outOfTurns,
} from './loop-end.ts';
import { meteredModel } from './metered-model.ts';
import { isTooLong, modelFault } from './model-fault.ts';
import { partialAnswer, TurnRecord } from './partial-answer.ts';

export interface CodeLoopOptions {
  readonly llm: AxAIService;
  readonly system: string;
  readonly prompt: string;
  readonly context: readonly ContextDocument[];
  readonly registry: ToolRegistry;
  /** Where the model's code runs. */
  readonly place: InterpreterPlace;
  /** Of all stages together. */
  readonly maxTurns: number;
  readonly maxTokens: number | undefined;
  /** Most time that the code of one turn may use by itself. */
  readonly codeMs: number;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Values that must not get into messages. */
  readonly secrets: readonly string[];
  readonly onEvent: (event: AgentEvent) => Promise<void>;
}

/** Of what a turn prints; Ax lets it shrink as the log of turns grows. */
const MAX_SHOWN_CHARS = 8000;

const TASK = 'task:string "what the user wants"';
const ANSWER = 'finalAnswer:string "what the user is told: the result, or why there is none"';
const SIGNATURE = `${TASK} -> ${ANSWER}`;
const SIGNATURE_WITH_CONTEXT = `${TASK}, contextIndex:string "names and sizes of the documents", contextDocuments:json "the documents, an array of {name, text} in the order of the index" -> ${ANSWER}`;

/** Rejects with `UNSUPPORTED` or `SPRITE_EXEC_FAILED` where no interpreter can be started, and with what a callback threw. */
export async function codeLoop(options: CodeLoopOptions): Promise<LoopEnd> {
  return await new CodeLoop(options).run();
}

class CodeLoop {
  readonly #options: CodeLoopOptions;
  readonly #circles = new CircleDetector();
  /** Ends all that goes on: the user's abort, or an ending found here. */
  readonly #stop = new AbortController();
  #ending: Ending | null = null;
  #thrown: { readonly error: unknown } | null = null;
  readonly #record = new TurnRecord();
  #turns = 0;
  #isOutOfTurns = false;
  /** The code that ran last has called final(), respond() or askClarification(). */
  #isStageOver = false;
  #isCodeRunning = false;
  #codeCalls = 0;

  constructor(options: CodeLoopOptions) {
    this.#options = options;
  }

  async run(): Promise<LoopEnd> {
    const { budget, place, codeMs, llm, signal, prompt, maxTokens } = this.#options;
    const { languageIn } = await import('./interpreter/code-language.ts');
    const { SpriteCodeRuntime } = await import('./interpreter/sprite-code-runtime.ts');
    const metered = meteredModel({ llm, budget, beforeAsk: () => this.#beforeAsk() });
    using _abort = onAbort([signal], () => this.#stop.abort());
    try {
      // The interpreter itself is none of the commands that may run at once: with room for one, its code may run one.
      // Before the model is asked: a sprite without an interpreter costs no tokens.
      const language = await languageIn(place, this.#stop.signal);
      await using runtime = new SpriteCodeRuntime({
        place,
        language,
        codeMs,
        onCode: (code) => this.#codeBegins(code),
        onCodeEnd: (code, end) => this.#codeEnds(code, end),
        onFatal: (error) => this.#fail(error),
      });
      const { text, ending } = await this.#answer(metered.llm, runtime);
      if (this.#isOutOfTurns) {
        const record = this.#record;
        const found = await partialAnswer({ llm: metered.llm, prompt, record, maxTokens, signal });
        if (found !== '') await this.#say(found);
        return { ...ending, text: found, ...metered.spent };
      }
      return { ...ending, text, ...metered.spent };
    } catch (error) {
      if (!signal.aborted) throw error;
      return { ...ABORTED, text: '', ...metered.spent };
    }
  }

  async #answer(llm: AxAIService, runtime: AxCodeRuntime): Promise<{ text: string; ending: Ending }> {
    const { prompt, context, maxTokens } = this.#options;
    const { AxAgentClarificationError } = await import('../vendor/ax.ts');
    const inputs = {
      task: prompt,
      ...(context.length === 0 ? {} : { contextIndex: contextIndex(context), contextDocuments: context }),
    };
    try {
      const program = await this.#program(runtime);
      const { signal } = this.#stop;
      const modelConfig = maxTokens === undefined ? {} : { modelConfig: { maxTokens } };
      const options = { abortSignal: signal, stream: false, ...modelConfig };
      const { finalAnswer } = await orAborted(program.forward(llm, inputs as never, options), signal);
      const text = String(finalAnswer ?? '').trim();
      if (text === '') return { text, ending: emptyAnswer() };
      await this.#say(text);
      return { text, ending: COMPLETED };
    } catch (error) {
      if (this.#thrown !== null) throw this.#thrown.error;
      if (error instanceof AxAgentClarificationError)
        return { text: error.question, ending: asks(error.question) };
      return { text: '', ending: this.#endingOf(error) };
    }
  }

  async #say(text: string): Promise<void> {
    await this.#emit({ type: 'assistant_text', text: `${text}\n`, isPartial: true });
  }

  async #program(runtime: AxCodeRuntime) {
    const { agent } = await import('../vendor/ax.ts');
    const { system, context, registry, budget, maxTurns } = this.#options;
    const hasContext = context.length > 0;
    const { signal } = this.#stop;
    return agent(hasContext ? SIGNATURE_WITH_CONTEXT : SIGNATURE, {
      agentIdentity: {
        name: 'Wreckit agent',
        description: 'Does a task in a sandbox by writing code, and answers.',
      },
      contextFields: hasContext ? ['contextDocuments'] : [],
      functions: codeFunctions({ registry, budget, signal, onEvent: (event) => this.#emit(event) }),
      functionDiscovery: false,
      runtime,
      maxTurns,
      maxRuntimeChars: MAX_SHOWN_CHARS,
      contextPolicy: { preset: 'checkpointed', budget: 'balanced' },
      executorOptions: { description: system },
    } as AxAgentConfig<AxGenIn, AxGenOut>);
  }

  async #codeBegins(code: string): Promise<void> {
    this.#codeCalls += 1;
    this.#isCodeRunning = true;
    await this.#emit({ type: 'tool_started', ...this.#codeCall(), input: { code } });
  }

  async #codeEnds(code: string, { output, error, endsStage }: CodeEnd): Promise<void> {
    this.#isCodeRunning = false;
    this.#isStageOver = endsStage;
    this.#record.add(code, [output, error ?? ''].join('\n').trim());
    const isFine = error === null || endsStage;
    if (isFine) await this.#emit({ type: 'tool_result', ...this.#codeCall(), content: output });
    else await this.#emit({ type: 'tool_error', ...this.#codeCall(), message: error });
    if (!this.#circles.add({ name: 'code', args: code }, { output, error }) || endsStage) return;
    const hint = 'say more about the task, or use another model';
    this.#end(ended('failed', 'the agent wrote the same code again and again', hint));
  }

  #codeCall() {
    return { toolUseId: `code-${this.#codeCalls}`, toolName: 'code' } as const;
  }

  /** Ends the run where the model may be asked no more. */
  #beforeAsk(): void {
    const { budget, maxTurns } = this.#options;
    try {
      budget.assertLeft('ask the model');
    } catch (error) {
      this.#end(outOfBudget(toWreckitError(error)));
      throw error;
    }
    // Then it is code that asks: llmQuery.
    if (this.#isCodeRunning || this.#isOutOfTurns) return;
    if (this.#turns >= maxTurns && !this.#isStageOver) {
      this.#end(outOfTurns(maxTurns));
      this.#isOutOfTurns = this.#ending?.outcome === 'limit_reached';
      throw new Error('out of turns');
    }
    this.#turns += 1;
    this.#isStageOver = false;
  }

  async #emit(event: AgentEvent): Promise<void> {
    try {
      await this.#options.onEvent(event);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** The first ending counts; what still goes on is ended. */
  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#stop.abort();
  }

  /** Thrown to who has started the loop. */
  #fail(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#thrown ??= { error };
    this.#stop.abort();
  }

  #endingOf(error: unknown): Ending {
    if (this.#ending !== null) return this.#ending;
    if (this.#stop.signal.aborted) return ABORTED;
    if (isTooLong(error)) return outOfRoom();
    const { message, hint } = modelFault(error);
    return ended('failed', redact(message, this.#options.secrets), hint);
  }
}

function emptyAnswer(): Ending {
  return ended('failed', 'the model gave an empty answer', 'try again, or use another model');
}

function asks(question: string): Ending {
  return { outcome: 'needs_input', message: 'the agent asks a question', hint: null, question };
}
