/** A model whose every answer is paid from the budget of the tree, whoever asks: Ax's stages or the model's code. */
import { type AgentUsage, addUsage } from '../agent-events.ts';
import type { AxAIService, AxChatResponse } from '../vendor/ax.ts';
import { mergedUsage, usageOf } from './ax-model.ts';
import type { Budget } from './budget.ts';

export interface MeteredModelOptions {
  readonly llm: AxAIService;
  readonly budget: Budget;
  /** Called before the model is asked, which what it throws prevents. */
  readonly beforeAsk: () => void;
}

export interface MeteredModel {
  readonly llm: AxAIService;
  /** So far; null: no provider has told any. */
  readonly spent: { usage: AgentUsage | null; costUsd: number | null };
}

export function meteredModel({ llm, budget, beforeAsk }: MeteredModelOptions): MeteredModel {
  const spent: MeteredModel['spent'] = { usage: null, costUsd: null };
  const count = (modelUsage: AxChatResponse['modelUsage']): void => {
    const { usage, costUsd } = usageOf(llm, modelUsage);
    if (usage === null) return;
    spent.usage = addUsage(spent.usage, usage);
    if (costUsd !== null) spent.costUsd = (spent.costUsd ?? 0) + costUsd;
    budget.addUsage(usage, costUsd);
  };
  const chat: AxAIService['chat'] = async (request, options) => {
    beforeAsk();
    const reply = await llm.chat(request, options);
    if (reply instanceof ReadableStream) return counted(reply, count);
    count(reply.modelUsage);
    return reply;
  };
  return { llm: withChat(llm, chat), spent };
}

/** Ax's services keep their state in private fields, which only they themselves may reach. */
function withChat(llm: AxAIService, chat: AxAIService['chat']): AxAIService {
  return new Proxy(llm, {
    get(target, name) {
      if (name === 'chat') return chat;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function counted(
  reply: ReadableStream<AxChatResponse>,
  count: (usage: AxChatResponse['modelUsage']) => void,
): ReadableStream<AxChatResponse> {
  let usage: AxChatResponse['modelUsage'];
  return reply.pipeThrough(
    new TransformStream<AxChatResponse, AxChatResponse>({
      transform(chunk, controller) {
        if (chunk.modelUsage !== undefined) usage = mergedUsage(usage, chunk.modelUsage);
        controller.enqueue(chunk);
      },
      flush: () => count(usage),
    }),
  );
}
