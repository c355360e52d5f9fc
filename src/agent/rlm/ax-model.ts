/** A model through Ax: one turn of a conversation, streamed. Ax does the wire, the retries and the prices. */
import type { AgentUsage } from '../agent-events.ts';
import type { AxAIService, AxChatRequest, AxChatResponse } from '../vendor/ax.ts';
import { geminiParameters } from './gemini-schema.ts';
import type { RlmProvider } from './provider.ts';
import type { JsonSchema } from './tool.ts';

export type ChatMessage = AxChatRequest['chatPrompt'][number];

export interface ModelCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: JSON, or what it took for it. */
  readonly args: string;
}

export interface ModelTurn {
  readonly text: string;
  readonly calls: readonly ModelCall[];
  readonly usage: AgentUsage | null;
  /** null: the price of the model is not known. */
  readonly costUsd: number | null;
  /** The answer was cut off at the most tokens it may have. */
  readonly isCut: boolean;
  /** To be given back with the conversation; providers check that it is untouched. */
  readonly thoughts: Record<string, unknown>;
}

export interface AskOptions {
  readonly messages: readonly ChatMessage[];
  readonly functions: NonNullable<AxChatRequest['functions']>;
  readonly maxTokens: number | undefined;
  /** True when absent. */
  readonly isStreamed?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onText: (text: string) => Promise<void>;
}

export async function openModel(provider: RlmProvider): Promise<AxAIService> {
  const { AxAIAnthropic, AxAIGoogleGemini, ai } = await import('../vendor/ax.ts');
  const { name, model, baseUrl, key, isBearer } = provider;
  switch (name) {
    case 'anthropic': {
      const config = { model: model as never };
      const bearer = { credentialProvider: async () => ({ Authorization: `Bearer ${key}` }) };
      const llm = new AxAIAnthropic(isBearer ? { ...bearer, config } : { apiKey: key ?? '', config });
      if (baseUrl !== undefined) llm.setAPIURL(withPath(baseUrl, '/v1'));
      return llm;
    }
    case 'google': {
      const llm = new AxAIGoogleGemini({ apiKey: key ?? '', config: { model: model as never } });
      if (baseUrl !== undefined) llm.setAPIURL(withPath(baseUrl, '/v1beta'));
      return llm;
    }
    case 'openai': {
      const url = baseUrl === undefined ? {} : { apiURL: withPath(baseUrl, '/v1') };
      return ai({ name: 'openai', apiKey: key ?? '', ...url, config: { model: model as never } });
    }
    default:
      return ai({
        name: 'openai-compatible',
        apiURL: baseUrl ?? '',
        ...(key === null ? {} : { apiKey: key }),
        config: { model: model as never },
      });
  }
}

/** Rejects with Ax's error, or whatever `onText` threw. */
export async function askModel(llm: AxAIService, options: AskOptions): Promise<ModelTurn> {
  const { messages, functions, maxTokens, isStreamed = true, signal, onText } = options;
  const request: AxChatRequest = {
    chatPrompt: [...messages],
    ...(functions.length > 0 ? { functions: functionsFor(llm, functions), functionCall: 'auto' } : {}),
    ...(maxTokens === undefined ? {} : { modelConfig: { maxTokens } }),
  };
  const reply = await llm.chat(request as never, { abortSignal: signal, stream: isStreamed });
  const turn = new TurnBuilder();
  if (!(reply instanceof ReadableStream)) await onText(turn.add(reply));
  else
    for await (const chunk of reply as unknown as AsyncIterable<AxChatResponse>)
      await onText(turn.add(chunk));
  return turn.finish(llm);
}

type Functions = AskOptions['functions'];

function functionsFor(llm: AxAIService, functions: Functions): Functions {
  if (!/gemini/i.test(llm.getName())) return functions;
  return functions.map(({ parameters, ...rest }) => {
    const adapted = parameters === undefined ? undefined : geminiParameters(parameters as JsonSchema);
    return adapted === undefined ? rest : { ...rest, parameters: adapted as never };
  });
}

class TurnBuilder {
  #text = '';
  #isCut = false;
  readonly #calls = new Map<string, { name: string; args: string }>();
  #usage: NonNullable<AxChatResponse['modelUsage']> | undefined;
  readonly #thoughtBlocks: unknown[] = [];

  /** The new text. */
  add({ results, modelUsage }: AxChatResponse): string {
    if (modelUsage !== undefined) this.#usage = mergedUsage(this.#usage, modelUsage);
    const [result] = results;
    if (result === undefined) return '';
    if (result.finishReason === 'length') this.#isCut = true;
    if (result.thoughtBlocks !== undefined) this.#thoughtBlocks.push(...result.thoughtBlocks);
    for (const { id, function: called } of result.functionCalls ?? []) {
      const known = this.#calls.get(id) ?? { name: '', args: '' };
      known.name ||= called.name;
      known.args += typeof called.params === 'object' ? JSON.stringify(called.params) : (called.params ?? '');
      this.#calls.set(id, known);
    }
    const text = result.content ?? '';
    this.#text += text;
    return text;
  }

  finish(llm: AxAIService): ModelTurn {
    return {
      text: this.#text,
      calls: [...this.#calls].map(([id, { name, args }]) => ({ id, name, args })),
      ...usageOf(llm, this.#usage),
      isCut: this.#isCut,
      thoughts: this.#thoughtBlocks.length === 0 ? {} : { thoughtBlocks: this.#thoughtBlocks },
    };
  }
}

export type ModelUsage = NonNullable<AxChatResponse['modelUsage']>;

export function usageOf(
  llm: AxAIService,
  modelUsage: ModelUsage | undefined,
): Pick<ModelTurn, 'usage' | 'costUsd'> {
  const tokens = modelUsage?.tokens;
  if (tokens === undefined) return { usage: null, costUsd: null };
  const cost = llm.getEstimatedCost(modelUsage);
  return {
    usage: {
      inputTokens: tokens.promptTokens,
      outputTokens: tokens.completionTokens,
      cachedInputTokens: tokens.cacheReadTokens ?? 0,
    },
    // Ax prices a model it does not know at nothing.
    costUsd: cost > 0 ? cost : null,
  };
}

/** Some providers tell input and output in different chunks, each with a 0 for the other. */
export function mergedUsage(before: ModelUsage | undefined, now: ModelUsage): ModelUsage {
  if (before?.tokens === undefined || now.tokens === undefined)
    return now.tokens === undefined ? (before ?? now) : now;
  const promptTokens = Math.max(before.tokens.promptTokens, now.tokens.promptTokens);
  const completionTokens = Math.max(before.tokens.completionTokens, now.tokens.completionTokens);
  const totalTokens = promptTokens + completionTokens;
  return { ...now, tokens: { ...before.tokens, ...now.tokens, promptTokens, completionTokens, totalTokens } };
}

function withPath(url: string, path: string): string {
  return url.endsWith(path) ? url : `${url}${path}`;
}
