/** Sees an agent that makes the same call again and again, and learns nothing from it. */
import { createHash } from 'node:crypto';
import type { ModelCall } from './ax-model.ts';
import type { ToolAnswer } from './tool.ts';

/** Same call, same answer, one after the other. */
const MAX_SAME_ANSWERS = 5;
/** Same call whatever it answered: a poll that never ends. */
const MAX_SAME_CALLS = 100;
/** Differ from call to call without meaning anything. */
const VOLATILE = new Set(['session_id', 'duration_ms', 'last_active_at', 'created_at', 'note']);

export class CircleDetector {
  #call = '';
  #answer = '';
  #sameCalls = 0;
  #sameAnswers = 0;

  /** True: it goes in circles. */
  add({ name, args }: Pick<ModelCall, 'name' | 'args'>, answer: ToolAnswer): boolean {
    const call = hashOf([name, args]);
    const told = hashOf(Object.entries(answer).filter(([key]) => !VOLATILE.has(key)));
    this.#sameCalls = call === this.#call ? this.#sameCalls + 1 : 1;
    this.#sameAnswers = call === this.#call && told === this.#answer ? this.#sameAnswers + 1 : 1;
    this.#call = call;
    this.#answer = told;
    return this.#sameAnswers >= MAX_SAME_ANSWERS || this.#sameCalls >= MAX_SAME_CALLS;
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
