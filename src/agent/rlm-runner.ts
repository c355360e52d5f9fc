/**
 * The kind `rlm`: a model loop on this machine whose tools work in a sprite, or, only where the user wants no
 * sandbox, in the project itself.
 *
 *   key ─▶ tools ─▶ chat loop, or code loop over large material ─▶ sprites it left are killed or kept ─▶ result
 */

import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_EXECS, DEFAULT_SPRITE_AGENT } from '../config/defaults.ts';
import { secretValuesOf } from '../logging.ts';
import { onAbort } from '../process/abort.ts';
import { deadline } from '../process/deadline.ts';
import type { AgentEvent, AgentResult, AgentRunFacts } from './agent-events.ts';
import type { RlmRunOptions } from './agent-options.ts';
import { Budget } from './rlm/budget.ts';
import type { ChatLoopOptions } from './rlm/chat-loop.ts';
import { promptWithContext } from './rlm/context-documents.ts';
import type { LoopEnd } from './rlm/loop-end.ts';
import { loopModeOf } from './rlm/loop-mode.ts';
import { type RlmProvider, resolveProvider } from './rlm/provider.ts';
import type { RunTools } from './rlm/run-tools.ts';
import { newRunId } from './run-id.ts';
import { SpriteRunner } from './sprite-runner.ts';
import { enterTree } from './tree-ledger.ts';
import type { AxAIService } from './vendor/ax.ts';

const DEFAULT_CODE_SECONDS = 120;
/** Of sprites that outlive a crash of this program: then gc removes them. */
const CHILD_TTL = '24h';

/**
 * Without a place its tools work in the project on this machine: `runAgentUnion` puts it into a sprite unless its
 * config says `sandbox: false`. Rejects with what keeps it from starting: `AUTH_MISSING` naming the variable, `CONFIG_INVALID`, `USAGE` for a
 * tool there is not. Then the result says how it ended. `open` is another way to a model than by its provider.
 */
export async function runRlmAgent(
  options: RlmRunOptions,
  open?: (provider: RlmProvider) => Promise<AxAIService>,
): Promise<AgentResult> {
  const { config, place, sourceEnv = process.env } = options;
  const context = options.context ?? [];
  const mode = loopModeOf(config, options.prompt, context);
  const provider = resolveProvider(config, [options.env, config.env, sourceEnv]);
  const startedAt = performance.now();
  const budget = options.budget ?? budgetOf(options);
  const owner = place?.owner ?? newRunId();
  using _tree =
    place === undefined
      ? enterTree(
          { owner, projectRoot: options.cwd, mainSprite: null },
          { env: sourceEnv, wispPath: config.wispPath },
        )
      : null;
  using watch = watchOf(options, budget);
  const { toolsOf } = await import('./rlm/run-tools.ts');
  const client =
    place?.client ??
    new SpriteRunner({ wispPath: config.wispPath, wispPathBase: options.cwd, env: sourceEnv });
  await using tools = await toolsOf({
    ...options,
    budget,
    client,
    owner,
    ttl: CHILD_TTL,
    runRlm: (child) => runRlmAgent(child, open),
    signal: watch.signal,
    mode,
  });
  const { openModel } = await import('./rlm/ax-model.ts');
  const common = {
    llm: await (open ?? openModel)(provider),
    system: tools.system,
    registry: tools.registry,
    maxTurns: config.maxIterations,
    maxTokens: config.max_tokens,
    isStreamed: config.stream,
    budget,
    signal: watch.signal,
    secrets: [
      ...(provider.key === null ? [] : [provider.key]),
      ...secretValuesOf({ ...config.env, ...options.env }),
    ],
    onEvent: (event: AgentEvent) => emit(options, event),
  };
  const end = mode === 'chat' ? await chat(common, options) : await code(common, tools, options);
  const faults = await tools.cleanUp();
  for (const message of faults) await emit(options, { type: 'error', message });
  const result = resultOf(end, watch.cause, Math.round(performance.now() - startedAt), options);
  const { output: _output, timedOut: _timedOut, completionDetected: _completion, ...facts } = result;
  await options.onAgentEvent?.({ type: 'run_result', ...(facts satisfies AgentRunFacts) });
  return result;
}

type LoopParts = Omit<ChatLoopOptions, 'prompt'>;

async function chat(parts: LoopParts, { prompt, context = [] }: RlmRunOptions): Promise<LoopEnd> {
  const { chatLoop } = await import('./rlm/chat-loop.ts');
  return await chatLoop({ ...parts, prompt: promptWithContext(prompt, context) });
}

async function code(parts: LoopParts, tools: RunTools, options: RlmRunOptions): Promise<LoopEnd> {
  const { prompt, context = [], config } = options;
  const { codeLoop } = await import('./rlm/code-loop.ts');
  const codeMs = (config.maxCodeSeconds ?? DEFAULT_CODE_SECONDS) * 1000;
  return await codeLoop({ ...parts, prompt, context, codeMs, place: await tools.interpreterPlace() });
}

function budgetOf({ config, place }: RlmRunOptions): Budget {
  const { maxVMs, maxDepth, maxConcurrentExecs, maxSeconds, maxTotalTokens, maxCostUsd } = config;
  return new Budget({
    maxVMs: maxVMs ?? place?.engineLimit?.maxVMs ?? DEFAULT_SPRITE_AGENT.maxVMs,
    maxDepth: maxDepth ?? DEFAULT_MAX_DEPTH,
    maxConcurrentExecs: maxConcurrentExecs ?? DEFAULT_MAX_EXECS,
    maxSeconds,
    maxTotalTokens,
    maxCostUsd,
  });
}

async function emit({ onAgentEvent, onStdoutChunk }: RlmRunOptions, event: AgentEvent): Promise<void> {
  if (event.type === 'assistant_text') await onStdoutChunk?.(event.text);
  await onAgentEvent?.(event);
}

type StopCause = 'timeout' | 'abort' | null;

interface Watch extends Disposable {
  readonly signal: AbortSignal;
  readonly cause: StopCause;
}

/** One signal for everything that ends the agent. */
function watchOf({ timeoutSeconds, signal, lifecycle }: RlmRunOptions, { leftMs }: Budget): Watch {
  const controller = new AbortController();
  let cause: StopCause = null;
  const stop = (why: Exclude<StopCause, null>): void => {
    cause ??= why;
    controller.abort();
  };
  // The pool's own deadline is told by the pool, unless something is waited for just then.
  const limits = [timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000, leftMs].filter(
    (each) => each !== undefined,
  );
  const late = deadline(limits.length === 0 ? undefined : Math.min(...limits), () => stop('timeout'));
  const listening = onAbort([signal, lifecycle?.signal], () => stop('abort'));
  let settle: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const entry = lifecycle?.add({
    name: 'the rlm agent',
    phase: 'agents',
    stop: () => {
      stop('abort');
      return ended;
    },
  });
  return {
    signal: controller.signal,
    get cause() {
      return cause;
    },
    [Symbol.dispose]: () => {
      late[Symbol.dispose]();
      listening[Symbol.dispose]();
      settle();
      entry?.[Symbol.dispose]();
    },
  };
}

function resultOf(end: LoopEnd, cause: StopCause, durationMs: number, options: RlmRunOptions): AgentResult {
  const isLate = end.outcome === 'aborted' && cause === 'timeout';
  const outcome = isLate ? 'timed_out' : end.outcome;
  const success = outcome === 'completed';
  return {
    outcome,
    success,
    output: end.text,
    timedOut: isLate,
    completionDetected: success,
    exitCode: null,
    sessionId: null,
    usage: end.usage,
    costUsd: end.costUsd,
    durationMs,
    message: isLate ? lateMessage(options) : end.message,
    hint: isLate ? 'give it more time' : end.hint,
    question: isLate ? null : (end.question ?? null),
  };
}

function lateMessage({ timeoutSeconds, config, budget }: RlmRunOptions): string {
  const { maxSeconds } = budget?.limits ?? config;
  return `the agent did not end within ${Math.min(timeoutSeconds ?? Infinity, maxSeconds ?? Infinity)} s`;
}
