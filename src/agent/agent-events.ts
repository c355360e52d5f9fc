/** What every agent kind reports while it runs, and what comes out at the end. */

export type AgentEvent =
  /** The agent's own words. `isPartial`: more of the same text follows. */
  | { readonly type: 'assistant_text'; readonly text: string; readonly isPartial?: true }
  | {
      readonly type: 'tool_started';
      readonly toolUseId: string;
      readonly toolName: string;
      readonly input: unknown;
    }
  | {
      readonly type: 'tool_result';
      readonly toolUseId: string;
      readonly toolName: string;
      readonly content: string;
    }
  | {
      readonly type: 'tool_error';
      readonly toolUseId: string;
      readonly toolName: string;
      readonly message: string;
    }
  /** Something went wrong that the agent may have got over; `run_result` says how it ended. */
  | { readonly type: 'error'; readonly message: string }
  /** The last event of every run. */
  | ({ readonly type: 'run_result' } & AgentRunFacts);

/**
 * `completed`: the agent says it is done · `failed` · `timed_out` · `aborted`: by us · `needs_input`: it asked
 * a question nobody was there to answer · `limit_reached`: of turns, tokens or money.
 */
export type AgentOutcome = 'completed' | 'failed' | 'timed_out' | 'aborted' | 'needs_input' | 'limit_reached';

export interface AgentUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of the input that came from the provider's cache. */
  readonly cachedInputTokens: number;
}

export interface AgentRunFacts {
  readonly outcome: AgentOutcome;
  /** `outcome` is `completed`. */
  readonly success: boolean;
  /** Of the agent's program; null when a signal ended it, or there was no program. */
  readonly exitCode: number | null;
  /** To resume with; null where the agent has none. */
  readonly sessionId: string | null;
  readonly usage: AgentUsage | null;
  readonly costUsd: number | null;
  readonly durationMs: number;
  /** Why it is no success, in a sentence; null for a success. */
  readonly message: string | null;
  /** What to do about it; null where there is nothing to say. */
  readonly hint: string | null;
  /** Of `needs_input`: what the agent wants to know. */
  readonly question: string | null;
}

export interface AgentResult extends AgentRunFacts {
  /** The agent's final words; for a program without a structured result all it wrote to stdout (capped). */
  readonly output: string;
  readonly timedOut: boolean;
  /** The agent said itself that the task is done: a structured success, or the completion signal. */
  readonly completionDetected: boolean;
}

/** An event as a JSON document: names in snake_case, a tool's own data untouched. */
export function eventDocument(event: AgentEvent): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      snakeCase(name),
      name === 'usage' ? usageDocument(value as AgentUsage | null) : value,
    ]),
  );
}

/** A result as a JSON document: names in snake_case. */
export function resultDocument(result: AgentResult): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(result).map(([name, value]) => [
      snakeCase(name),
      name === 'usage' ? usageDocument(value as AgentUsage | null) : value,
    ]),
  );
}

function usageDocument(usage: AgentUsage | null): Record<string, number> | null {
  if (usage === null) return null;
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cached_input_tokens: usage.cachedInputTokens,
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function addUsage(sum: AgentUsage | null, more: AgentUsage): AgentUsage {
  return {
    inputTokens: (sum?.inputTokens ?? 0) + more.inputTokens,
    outputTokens: (sum?.outputTokens ?? 0) + more.outputTokens,
    cachedInputTokens: (sum?.cachedInputTokens ?? 0) + more.cachedInputTokens,
  };
}
