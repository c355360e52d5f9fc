/**
 * Finds a completion signal among an agent's words. Most tools echo the prompt, and the prompt names the
 * signal: an occurrence between the same words as in the prompt is the echo, however it is wrapped, quoted,
 * coloured or escaped.
 */

/** So many letters and digits on either side are compared. */
const CONTEXT_LETTERS = 24;
/** So much text on either side is looked at for them. */
const CONTEXT_CHARACTERS = 512;

export class CompletionSignal {
  readonly #signal: string;
  /** What stands around each mention of the signal in the prompt. */
  readonly #mentions: readonly Surroundings[];
  #window = '';
  /** Occurrences before this place in the window have been judged. */
  #judgedTo = 0;
  #isSeen = false;

  constructor(signal: string, prompt: string) {
    this.#signal = signal;
    this.#mentions = positionsOf(prompt, signal, 0).map((at) => surroundings(prompt, at, signal.length));
  }

  push(text: string): void {
    if (this.#isSeen) return;
    this.#window += text;
    this.#judge(this.#window.length - this.#signal.length - CONTEXT_CHARACTERS);
    const done = Math.max(0, this.#judgedTo - CONTEXT_CHARACTERS);
    this.#window = this.#window.slice(done);
    this.#judgedTo -= done;
  }

  /** True when the agent itself has given the signal; to be asked when its output is over. */
  isSeen(): boolean {
    this.#judge(this.#window.length);
    return this.#isSeen;
  }

  /** Occurrences that begin before `limit`: what follows them is known. */
  #judge(limit: number): void {
    for (const at of positionsOf(this.#window, this.#signal, this.#judgedTo)) {
      if (at >= limit) break;
      const found = surroundings(this.#window, at, this.#signal.length);
      if (!this.#mentions.some((mention) => isEcho(found, mention))) this.#isSeen = true;
    }
    this.#judgedTo = Math.max(this.#judgedTo, limit);
  }
}

interface Surroundings {
  readonly before: string;
  readonly after: string;
}

function isEcho(found: Surroundings, mention: Surroundings): boolean {
  // An echo can be cut short, or have more in front of it than the prompt.
  const sameAfter = found.after.startsWith(mention.after) || mention.after.startsWith(found.after);
  // A prompt that begins with the signal has only what follows to compare.
  const hasAgreement = mention.before !== '' || found.after !== '' || mention.after === '';
  return hasAgreement && sameAfter && found.before.endsWith(mention.before);
}

function surroundings(text: string, at: number, length: number): Surroundings {
  const before = lettersOf(text.slice(Math.max(0, at - CONTEXT_CHARACTERS), at));
  const after = lettersOf(text.slice(at + length, at + length + CONTEXT_CHARACTERS));
  return { before: before.slice(-CONTEXT_LETTERS), after: after.slice(0, CONTEXT_LETTERS) };
}

function positionsOf(text: string, signal: string, from: number): number[] {
  const positions: number[] = [];
  for (let at = text.indexOf(signal, from); at !== -1; at = text.indexOf(signal, at + 1)) positions.push(at);
  return positions;
}

/** Letters and digits without colours, JSON's escapes, quotation marks, frames and white space. */
function lettersOf(text: string): string {
  return text
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/\\+[nrtbf"/]/g, ' ')
    .replace(/[^\p{L}\p{N}]/gu, '');
}
