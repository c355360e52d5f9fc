/** What an agent that is out of turns has found so far, in the model's words: the work of its turns is not lost. */

import { orAborted } from '../../process/abort.ts';
import type { AxAIService } from '../vendor/ax.ts';
import { askModel } from './ax-model.ts';
import { capText } from './cap-text.ts';

const MAX_CODE_CHARS = 2000;
const MAX_SHOWN_CHARS = 4000;
const MAX_RECORD_CHARS = 60_000;
const MAX_TASK_CHARS = 20_000;

const SYSTEM = [
  'You worked on a task by writing code, turn by turn, and have no turns left. Below are the task and the record of your turns.',
  'Say in a few words, for the user, what was found out and done so far, and what is missing.',
  'Claim nothing that the record does not show.',
].join('\n');

/** The turns of a run, bounded: of a long one the newest. */
export class TurnRecord {
  readonly #turns: string[] = [];
  #chars = 0;

  add(code: string, shown: string): void {
    const turn = `${capText(code, MAX_CODE_CHARS).text}\n--- shows:\n${capText(shown, MAX_SHOWN_CHARS).text}`;
    this.#turns.push(turn);
    this.#chars += turn.length;
    while (this.#chars > MAX_RECORD_CHARS) this.#chars -= this.#turns.shift()?.length ?? 0;
  }

  toString(): string {
    return this.#turns.join('\n\n=== next turn\n\n');
  }
}

export interface PartialAnswerOptions {
  readonly llm: AxAIService;
  readonly prompt: string;
  readonly record: TurnRecord;
  readonly maxTokens: number | undefined;
  readonly signal: AbortSignal;
}

/** Empty where the model can't be asked any more: that the run has reached a limit is told anyway. */
export async function partialAnswer(options: PartialAnswerOptions): Promise<string> {
  const { llm, prompt, record, maxTokens, signal } = options;
  const task = capText(prompt, MAX_TASK_CHARS).text;
  try {
    const asked = askModel(llm, {
      messages: [
        { role: 'system', content: SYSTEM },
        { role: 'user', content: `The task:\n${task}\n\nThe record of your turns:\n\n${record}` },
      ],
      functions: [],
      maxTokens,
      isStreamed: false,
      signal,
      onText: async () => undefined,
    });
    return (await orAborted(asked, signal)).text.trim();
  } catch {
    return '';
  }
}
