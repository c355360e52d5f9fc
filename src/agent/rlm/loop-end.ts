/** How a model loop ended, whichever loop it was. */
import type { WreckitError } from '../../errors.ts';
import type { AgentOutcome, AgentUsage } from '../agent-events.ts';

export interface LoopEnd extends Ending {
  /** The model's last words. */
  readonly text: string;
  readonly usage: AgentUsage | null;
  readonly costUsd: number | null;
}

export interface Ending {
  readonly outcome: Exclude<AgentOutcome, 'timed_out'>;
  /** null for `completed`. */
  readonly message: string | null;
  readonly hint: string | null;
  /** Of `needs_input`. */
  readonly question?: string | undefined;
}

export const COMPLETED: Ending = { outcome: 'completed', message: null, hint: null };
export const ABORTED: Ending = { outcome: 'aborted', message: 'the agent was stopped', hint: null };

export function ended(outcome: 'failed' | 'limit_reached', message: string, hint: string | null): Ending {
  return { outcome, message, hint };
}

/** A budget is used up. */
export function outOfBudget({ message, hint }: WreckitError): Ending {
  return ended('limit_reached', message, hint);
}

export function outOfTurns(maxTurns: number): Ending {
  return ended(
    'limit_reached',
    `the agent was not done after ${maxTurns} turns`,
    'allow more: maxIterations of the agent',
  );
}

export function outOfRoom(): Ending {
  return ended(
    'limit_reached',
    'the conversation no longer fits into the model',
    'give it a smaller task, or large material with --context',
  );
}
