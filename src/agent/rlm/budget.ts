/**
 * The budget of a tree of agents: one pool, whoever in the tree spends from it. What is about to be made is
 * reserved first, so that many at once can't go beyond a limit together.
 */
import { WreckitError } from '../../errors.ts';
import type { AgentUsage } from '../agent-events.ts';

/** An absent limit is none. */
export interface BudgetLimits {
  /** Sprites that are there at a time, besides the one the tree began in. */
  readonly maxVMs?: number | undefined;
  /** How deep agents may start agents; 0: not at all. */
  readonly maxDepth?: number | undefined;
  readonly maxConcurrentExecs?: number | undefined;
  /** Wall time of the whole tree. */
  readonly maxSeconds?: number | undefined;
  readonly maxTotalTokens?: number | undefined;
  /** Counts only models whose price is known. */
  readonly maxCostUsd?: number | undefined;
}

export interface BudgetSpent {
  readonly vms: number;
  readonly execs: number;
  readonly totalTokens: number;
  readonly costUsd: number;
  readonly elapsedMs: number;
}

export class Budget {
  readonly limits: BudgetLimits;
  readonly #startedAt = performance.now();
  /** Reserved; true: made. */
  readonly #vms = new Map<string, boolean>();
  #hasReserved = false;
  #execs = 0;
  #tokens = 0;
  #costUsd = 0;

  constructor(limits: BudgetLimits = {}) {
    this.limits = limits;
  }

  get spent(): BudgetSpent {
    return {
      vms: this.#vms.size,
      execs: this.#execs,
      totalTokens: this.#tokens,
      costUsd: this.#costUsd,
      elapsedMs: performance.now() - this.#startedAt,
    };
  }

  /** A sprite was asked for, whatever became of it. */
  get hasReserved(): boolean {
    return this.#hasReserved;
  }

  /** Until the deadline of the tree; undefined: there is none. */
  get leftMs(): number | undefined {
    const { maxSeconds } = this.limits;
    return maxSeconds === undefined ? undefined : Math.max(0, maxSeconds * 1000 - this.spent.elapsedMs);
  }

  /** There is no room for one more sprite. */
  get isFull(): boolean {
    const { maxVMs } = this.limits;
    return maxVMs !== undefined && this.#vms.size >= maxVMs;
  }

  /** Names of the sprites that were made and are counted. */
  get madeVMs(): string[] {
    return [...this.#vms].flatMap(([name, isMade]) => (isMade ? [name] : []));
  }

  hasVM(name: string): boolean {
    return this.#vms.has(name);
  }

  /** Room for the sprite; given back by `releaseVM`, by whichever agent of the tree. Throws `SPRITE_LIMIT`. */
  reserveVM(name: string): void {
    this.assertLeft('start a sprite');
    if (this.isFull) throw exceeded('start a sprite', 'maxVMs', this.limits.maxVMs ?? 0);
    this.#vms.set(name, false);
    this.#hasReserved = true;
  }

  /** The sprite is there. */
  confirmVM(name: string): void {
    this.#vms.set(name, true);
  }

  releaseVM(name: string): void {
    this.#vms.delete(name);
  }

  /** One command at a time of those that may run at once. Throws `SPRITE_LIMIT`. */
  takeExec(): Disposable {
    this.assertLeft('run a command');
    const { maxConcurrentExecs: most } = this.limits;
    if (most !== undefined && this.#execs >= most)
      throw exceeded('run a command', 'maxConcurrentExecs', most);
    this.#execs += 1;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#execs -= 1;
        isTaken = false;
      },
    };
  }

  /** Throws `SPRITE_LIMIT` for an agent that would be `depth` agents below the first. */
  assertDepth(depth: number): void {
    this.assertLeft('start an agent');
    const { maxDepth } = this.limits;
    if (maxDepth !== undefined && depth > maxDepth) throw exceeded('start an agent', 'maxDepth', maxDepth);
  }

  addUsage({ inputTokens, outputTokens }: AgentUsage, costUsd: number | null): void {
    this.#tokens += inputTokens + outputTokens;
    this.#costUsd += costUsd ?? 0;
  }

  /** Throws `SPRITE_LIMIT` when time, tokens or money are used up. */
  assertLeft(what: string): void {
    const { maxSeconds, maxTotalTokens, maxCostUsd } = this.limits;
    if (this.leftMs === 0) throw exceeded(what, 'maxSeconds', maxSeconds ?? 0);
    if (maxTotalTokens !== undefined && this.#tokens >= maxTotalTokens)
      throw exceeded(what, 'maxTotalTokens', maxTotalTokens);
    if (maxCostUsd !== undefined && this.#costUsd >= maxCostUsd)
      throw exceeded(what, 'maxCostUsd', maxCostUsd);
  }
}

function exceeded(what: string, budget: keyof BudgetLimits, limit: number): WreckitError {
  const hint =
    budget === 'maxVMs'
      ? 'kill a sprite that is no longer needed (kill_sprite), or go on with the ones there are'
      : 'finish with what there is, or raise the limit in the configuration';
  return new WreckitError(
    'SPRITE_LIMIT',
    `${what}: the budget ${budget} (${limit}) of this tree of agents is used up`,
    {
      hint,
      details: { budget, limit },
    },
  );
}
