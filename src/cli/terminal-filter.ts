/**
 * Output of an agent on its way to the user's terminal: the words, without the sequences that steer it. Those
 * could set the clipboard and the title, make the terminal type an answer, or overwrite what this program says.
 * (ECMA-48: `ESC [ … final`, and strings up to BEL or `ESC \`.) Pieces may be cut anywhere.
 */

type State = 'text' | 'escape' | 'control' | 'string';

const ESC = '\x1b';
const BEL = '\x07';
const STRING_END = '\x9c';
/** Control characters but for tab and ends of lines, and those that turn the direction of text around. */
const STEERING = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const STRING_BEGINS = /[\]PX^_\x90\x98\x9d-\x9f]/;
/** A longer string was none: the rest of the output is not to vanish in it. */
const MAX_STRING_CHARACTERS = 64 * 1024;

export class TerminalFilter {
  #state: State = 'text';
  #stringCharacters = 0;

  /** What of the next piece may be written. */
  push(text: string): string {
    if (this.#state === 'text' && !STEERING.test(text)) return text;
    let kept = '';
    for (const character of text) if (this.#isText(character)) kept += character;
    return kept;
  }

  #isText(character: string): boolean {
    switch (this.#state) {
      case 'text':
        if (character === ESC) this.#state = 'escape';
        else if (character === '\x9b') this.#state = 'control';
        else if (character > '\x7f' && STRING_BEGINS.test(character)) this.#beginString();
        else return !STEERING.test(character);
        return false;
      case 'escape':
        if (character === '[') this.#state = 'control';
        else if (STRING_BEGINS.test(character)) this.#beginString();
        // Further characters before the last one, as in `ESC ( B`.
        else if (character !== ESC && !/[\x20-\x2f]/.test(character)) this.#state = 'text';
        return false;
      case 'control':
        if (/[\x20-\x3f]/.test(character)) return false;
        this.#state = 'text';
        return !/[\x40-\x7e]/.test(character) && this.#isText(character);
      case 'string':
        this.#stringCharacters += 1;
        if (character === ESC) this.#state = 'escape';
        else if (isStringEnd(character) || this.#stringCharacters > MAX_STRING_CHARACTERS)
          this.#state = 'text';
        return false;
    }
  }

  #beginString(): void {
    this.#state = 'string';
    this.#stringCharacters = 0;
  }
}

/** CAN and SUB break a sequence off. */
function isStringEnd(character: string): boolean {
  return character === BEL || character === STRING_END || character === '\x18' || character === '\x1a';
}
