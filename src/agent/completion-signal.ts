/**
 * Finds a completion signal among an agent's words. Most tools echo the prompt, and the prompt names the
 * signal: an occurrence that is preceded by the same words as in the prompt is the echo, however it is
 * wrapped, quoted, coloured or escaped.
 */

/** So many letters and digits before the signal have to agree for an echo. */
const CONTEXT_CHARACTERS = 24;
/** Text kept from before a chunk: the signal cut in two, and the context in front of it with its decoration. */
const CARRY_CHARACTERS = 1024;

export class CompletionSignal {
  readonly #signal: string;
  /** What stands before (and, where nothing does, after) each mention of the signal in the prompt. */
  readonly #mentions: readonly Mention[];
  #carry = '';
  #isSeen = false;

  constructor(signal: string, prompt: string) {
    this.#signal = signal;
    this.#mentions = positionsOf(prompt, signal).map((at) => ({
      before: lettersBefore(prompt, at),
      after: lettersAfter(prompt, at + signal.length),
    }));
  }

  /** True as soon as the agent itself has given the signal. */
  get isSeen(): boolean {
    return this.#isSeen;
  }

  push(text: string): void {
    if (this.#isSeen) return;
    const window = this.#carry + text;
    // An occurrence that lies wholly in the carry was judged before; its echo stays one.
    const from = Math.max(0, this.#carry.length - this.#signal.length + 1);
    this.#isSeen = positionsOf(window, this.#signal, from).some((at) => !this.#isEcho(window, at));
    this.#carry = window.slice(-CARRY_CHARACTERS);
  }

  #isEcho(window: string, at: number): boolean {
    const before = lettersBefore(window, at);
    return this.#mentions.some((mention) => {
      if (mention.before !== '') return before.endsWith(mention.before);
      // The prompt begins with the signal: its echo is followed by the same words.
      return mention.after !== '' && lettersAfter(window, at + this.#signal.length).startsWith(mention.after);
    });
  }
}

interface Mention {
  readonly before: string;
  readonly after: string;
}

function positionsOf(text: string, signal: string, from = 0): number[] {
  const positions: number[] = [];
  for (let at = text.indexOf(signal, from); at !== -1; at = text.indexOf(signal, at + 1)) positions.push(at);
  return positions;
}

function lettersBefore(text: string, at: number): string {
  return lettersOf(text.slice(Math.max(0, at - CARRY_CHARACTERS / 2), at)).slice(-CONTEXT_CHARACTERS);
}

function lettersAfter(text: string, at: number): string {
  return lettersOf(text.slice(at, at + CARRY_CHARACTERS / 2)).slice(0, CONTEXT_CHARACTERS);
}

/** Letters and digits without colours, JSON's escapes, quotation marks, frames and white space. */
function lettersOf(text: string): string {
  return text
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/\\[nrtbf"\\/]/g, ' ')
    .replace(/[^\p{L}\p{N}]/gu, '');
}
