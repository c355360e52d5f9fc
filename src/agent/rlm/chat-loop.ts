/**
 * The chat loop: the model speaks, its tool calls are run, their answers go back, until it calls none.
 *
 * Only native tool calls are run: a call that stands in the text is text. Every way out has a name: done, out of
 * turns or budget, going in circles, no room left, the provider's refusal, stopped.
 */

import { toWreckitError, WreckitError } from '../../errors.ts';
import { redact } from '../../logging.ts';
import { orAborted } from '../../process/abort.ts';
import { type AgentEvent, type AgentUsage, addUsage } from '../agent-events.ts';
import type { ToolRegistry } from '../rlm-tools.ts';
import type { AxAIService } from '../vendor/ax.ts';
import { askModel, type ChatMessage, type ModelCall, type ModelTurn } from './ax-model.ts';
import type { Budget } from './budget.ts';
import { capText } from './cap-text.ts';
import { CircleDetector } from './circle-detector.ts';
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
import { isCutStream, isTooLong, modelFault } from './model-fault.ts';
import { errorAnswer, type ToolAnswer, toolErrorOf } from './tool.ts';

export interface ChatLoopOptions {
  readonly llm: AxAIService;
  readonly system: string;
  readonly prompt: string;
  readonly registry: ToolRegistry;
  readonly maxTurns: number;
  readonly maxTokens: number | undefined;
  /** False: for a provider that can't; true when absent. */
  readonly isStreamed?: boolean | undefined;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Values that must not get into messages. */
  readonly secrets: readonly string[];
  readonly onEvent: (event: AgentEvent) => Promise<void>;
}

/** Beyond what Ax tries by itself: a stream that breaks off in the middle is only seen here. */
const MAX_CUT_STREAMS = 2;
const MAX_CALLS_PER_TURN = 64;
/** Of one tool's answer, in the conversation. */
const MAX_ANSWER_CHARS = 100_000;
/** An old answer when the conversation has to be made shorter. */
const SHORT_ANSWER_CHARS = 500;
/** The newest answers stay whole. */
const KEPT_ANSWERS = 4;

/** Rejects only with what a callback threw. */
export async function chatLoop(options: ChatLoopOptions): Promise<LoopEnd> {
  return await new ChatLoop(options).run();
}

class ChatLoop {
  readonly #options: ChatLoopOptions;
  readonly #messages: ChatMessage[];
  readonly #circles = new CircleDetector();
  #usage: AgentUsage | null = null;
  #costUsd: number | null = null;
  #text = '';

  constructor(options: ChatLoopOptions) {
    this.#options = options;
    this.#messages = [
      { role: 'system', content: options.system },
      { role: 'user', content: options.prompt },
    ];
  }

  async run(): Promise<LoopEnd> {
    const ending = await this.#toTheEnd();
    return { ...ending, text: this.#text, usage: this.#usage, costUsd: this.#costUsd };
  }

  async #toTheEnd(): Promise<Ending> {
    const { maxTurns, signal, budget } = this.#options;
    for (let turn = 1; turn <= maxTurns; turn += 1) {
      if (signal.aborted) return ABORTED;
      try {
        budget.assertLeft('ask the model');
      } catch (error) {
        return outOfBudget(toWreckitError(error));
      }
      const said = await this.#ask();
      if ('outcome' in said) return said;
      if (said.text !== '') this.#text = said.text;
      if (said.calls.length === 0) return endOf(said);
      const circle = await this.#runCalls(said);
      if (circle !== null) return circle;
    }
    if (signal.aborted) return ABORTED;
    return outOfTurns(maxTurns);
  }

  /** The model's next turn, asked again where the wire broke or the conversation was too long. */
  async #ask(): Promise<ModelTurn | Ending> {
    const { llm, registry, maxTokens, isStreamed, signal, onEvent } = this.#options;
    const functions = [...registry.values()].map(({ name, description, parameters }) => ({
      name,
      description,
      parameters: parameters as never,
    }));
    let cut = 0;
    for (;;) {
      const callback: { error?: unknown } = {};
      const onText = async (text: string): Promise<void> => {
        if (text === '') return;
        await onEvent({ type: 'assistant_text', text, isPartial: true }).catch((error: unknown) => {
          callback.error = error;
          throw error;
        });
      };
      try {
        const asked = askModel(llm, {
          messages: this.#messages,
          functions,
          maxTokens,
          isStreamed,
          signal,
          onText,
        });
        const turn = await orAborted(asked, signal);
        this.#count(turn);
        if (turn.text !== '') await onEvent({ type: 'assistant_text', text: '\n', isPartial: true });
        return turn;
      } catch (error) {
        if ('error' in callback) throw callback.error;
        if (signal.aborted) return ABORTED;
        if (isTooLong(error)) {
          if (this.#shorten()) continue;
          return outOfRoom();
        }
        const fault = modelFault(error);
        const message = redact(fault.message, this.#options.secrets);
        if (!isCutStream(error) || cut >= MAX_CUT_STREAMS) return ended('failed', message, fault.hint);
        cut += 1;
        await onEvent({ type: 'error', message: `${message}; asking again` });
      }
    }
  }

  #count({ usage, costUsd }: ModelTurn): void {
    if (usage === null) return;
    this.#usage = addUsage(this.#usage, usage);
    if (costUsd !== null) this.#costUsd = (this.#costUsd ?? 0) + costUsd;
    this.#options.budget.addUsage(usage, costUsd);
  }

  /** Returns how the loop ends, or null: it goes on. */
  async #runCalls({ text, calls, thoughts }: ModelTurn): Promise<Ending | null> {
    this.#messages.push({
      role: 'assistant',
      ...(text === '' ? {} : { content: text }),
      ...thoughts,
      functionCalls: calls.map(({ id, name, args }) => ({
        id,
        type: 'function',
        // What is no JSON would break the next request.
        function: { name, params: parsed(args) === undefined ? '{}' : args === '' ? '{}' : args },
      })),
    });
    let isCircle = false;
    for (const [index, call] of calls.entries()) {
      if (this.#options.signal.aborted) return ABORTED;
      const answer = index < MAX_CALLS_PER_TURN ? await this.#runCall(call) : tooMany();
      const result = capText(JSON.stringify(answer, null, 1), MAX_ANSWER_CHARS).text;
      const isError = toolErrorOf(answer) !== undefined;
      this.#messages.push({ role: 'function', functionId: call.id, result, ...(isError ? { isError } : {}) });
      isCircle = this.#circles.add(call, answer) || isCircle;
    }
    if (this.#options.signal.aborted) return ABORTED;
    if (!isCircle) return null;
    return ended(
      'failed',
      `the agent made the same call again and again: ${calls[0]?.name}`,
      'say more about the task, or use another model',
    );
  }

  async #runCall({ id, name, args }: ModelCall): Promise<ToolAnswer> {
    const { registry, signal, onEvent } = this.#options;
    const input = parsed(args);
    await onEvent({ type: 'tool_started', toolUseId: id, toolName: name, input: input ?? args });
    const tool = registry.get(name);
    const answer =
      tool === undefined
        ? errorAnswer(unknownTool(name, registry))
        : input === undefined
          ? errorAnswer(noJson(name))
          : await tool.call(input, { signal });
    const error = toolErrorOf(answer);
    if (error === undefined) {
      const content = capText(JSON.stringify(answer), MAX_ANSWER_CHARS).text;
      await onEvent({ type: 'tool_result', toolUseId: id, toolName: name, content });
    } else await onEvent({ type: 'tool_error', toolUseId: id, toolName: name, message: error.message });
    return answer;
  }

  /** Cuts old answers of tools short. False: there was nothing left to cut. */
  #shorten(): boolean {
    const answers = this.#messages.flatMap((message, index) => (message.role === 'function' ? [index] : []));
    let isShorter = false;
    for (const index of answers.slice(0, -KEPT_ANSWERS)) {
      const message = this.#messages[index];
      if (message?.role !== 'function' || message.result.length <= 2 * SHORT_ANSWER_CHARS) continue;
      this.#messages[index] = { ...message, result: capText(message.result, SHORT_ANSWER_CHARS).text };
      isShorter = true;
    }
    return isShorter;
  }
}

/** A turn without calls. */
function endOf({ text, isCut }: ModelTurn): Ending {
  if (isCut)
    return ended(
      'limit_reached',
      "the model's answer was cut off at the most tokens it may have",
      'allow more: max_tokens of the agent',
    );
  if (text.trim() === '')
    return ended('failed', 'the model gave an empty answer', 'try again, or use another model');
  return COMPLETED;
}

/** undefined: it is not JSON. No arguments at all are none. */
function parsed(args: string): unknown {
  if (args.trim() === '') return {};
  try {
    return JSON.parse(args);
  } catch {
    return undefined; // told to the model
  }
}

function noJson(name: string): WreckitError {
  return new WreckitError('USAGE', `${name}: its arguments are not JSON`, {
    hint: 'make the call again with a whole JSON object',
  });
}

function unknownTool(name: string, registry: ToolRegistry): WreckitError {
  return new WreckitError('USAGE', `there is no tool ${JSON.stringify(name)}`, {
    hint: `there are: ${[...registry.keys()].join(', ')}`,
  });
}

function tooMany(): ToolAnswer {
  return errorAnswer(
    new WreckitError('USAGE', `more than ${MAX_CALLS_PER_TURN} calls in one turn: this one was not run`),
  );
}
