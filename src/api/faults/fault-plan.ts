/** Which request meets which fault: the rules of a file, and how far each of them is. */
import type { SpriteEngine } from '../../engine/engine.ts';
import type { Logger } from '../../logging.ts';
import { type FaultRule, WEBSOCKET } from './fault-rule.ts';

export interface FaultRequest {
  readonly method: string;
  readonly path: string;
  readonly isSocket: boolean;
}

interface Counted {
  readonly rule: FaultRule;
  readonly position: number;
  seen: number;
}

export class FaultPlan {
  readonly #engine: SpriteEngine;
  readonly #log: Logger;
  readonly #rules: readonly Counted[];

  constructor(rules: readonly FaultRule[], engine: SpriteEngine, log: Logger) {
    this.#engine = engine;
    this.#log = log;
    this.#rules = rules.map((rule, index) => ({ rule, position: index + 1, seen: 0 }));
  }

  /** The fault for this request, which counts; null: it is answered as it should be. */
  async next(request: FaultRequest): Promise<FaultRule | null> {
    for (const counted of this.#rules) {
      const { rule, position } = counted;
      if (!isFor(rule, request) || !(await this.#isInState(rule, request.path))) continue;
      counted.seen += 1;
      const last = rule.times === 'always' ? Number.POSITIVE_INFINITY : rule.nth + rule.times - 1;
      if (counted.seen < rule.nth || counted.seen > last) continue;
      const { kind } = rule;
      const { method, path } = request;
      this.#log.warn({ event: 'fault', rule: position, kind, method, path, nth: counted.seen });
      return rule;
    }
    return null;
  }

  /** A sprite that can't be looked at is in none of the states. */
  async #isInState({ state }: FaultRule, path: string): Promise<boolean> {
    if (state === undefined) return true;
    const name = /^\/v1\/sprites\/([a-z0-9-]+)/.exec(path)?.[1];
    if (name === undefined) return false;
    return await this.#engine.info(name).then(
      (sprite) => sprite.state === state,
      () => false,
    );
  }
}

function isFor({ on }: FaultRule, { method, path, isSocket }: FaultRequest): boolean {
  const at = on.indexOf(' ');
  if (on.slice(0, at) !== (isSocket ? WEBSOCKET : method)) return false;
  const wanted = on.slice(at + 1).split('/');
  const segments = path.split('/');
  const isOpen = wanted.at(-1) === '**';
  if (isOpen ? segments.length < wanted.length : segments.length !== wanted.length) return false;
  return wanted.every((pattern, index) => pattern.startsWith('*') || pattern === segments[index]);
}
