/**
 * File name patterns: `*` and `?` within a name, `**` across directories, `[…]`, `{a,b}`.
 *
 * Matched by stepping through all the places of the pattern at once, never by a regular expression: pattern and
 * names are a model's and a sprite's, and `**a**a**a**b` would keep one busy for longer than anybody lives.
 */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

type Fits = (character: string) => boolean;

/** A place in the pattern: where it leads without a character, and where with one that fits. */
interface Place {
  readonly empty: number[];
  readonly steps: { readonly fits: Fits; readonly to: number }[];
}

interface Group {
  readonly start: number;
  readonly ends: number[];
}

/** Whether a whole name fits; takes time in proportion to the name's length times the pattern's. Throws `USAGE`. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const { places, end } = new Compiler(pattern).compile();
  return (name) => {
    let here = reach(places, [0]);
    for (const character of name) {
      const next: number[] = [];
      for (const at of here) {
        for (const { fits, to } of places[at]?.steps ?? []) if (fits(character)) next.push(to);
      }
      if (next.length === 0) return false;
      here = reach(places, next);
    }
    return here.has(end);
  };
}

/** Those places and all that they lead to without a character. */
function reach(places: readonly Place[], from: readonly number[]): Set<number> {
  const reached = new Set<number>(from);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const at of reached) for (const to of places[at]?.empty ?? []) reached.add(to);
  return reached;
}

const inName: Fits = (character) => character !== '/';
const anything: Fits = () => true;

class Compiler {
  readonly #pattern: string;
  readonly #places: Place[] = [{ empty: [], steps: [] }];
  readonly #groups: Group[] = [];
  /** Where what comes next begins. */
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  compile(): { places: readonly Place[]; end: number } {
    let rest = this.#pattern.replace(/^\.\//, '');
    while (rest !== '') rest = rest.slice(this.#take(rest));
    if (this.#groups.length > 0) throw this.#fault();
    return { places: this.#places, end: this.#at };
  }

  /** Adds what `rest` begins with; returns its length. */
  #take(rest: string): number {
    const [character = ''] = rest;
    if (rest.startsWith('**/')) return this.#directories();
    if (rest.startsWith('**')) return this.#many(anything, 2);
    if (character === '*') return this.#many(inName, 1);
    if (character === '?') return this.#one(inName, 1);
    const set = /^\[(!|\^)?([^\]\\/]+)\]/.exec(rest);
    if (set !== null) return this.#one(this.#fitsSet(set[1] !== undefined, set[2] ?? ''), set[0].length);
    if (character === '{') return this.#open();
    const group = this.#groups.at(-1);
    if (group !== undefined && (character === ',' || character === '}')) return this.#next(group, character);
    return this.#one((other) => other === character, character.length);
  }

  #place(): number {
    return this.#places.push({ empty: [], steps: [] }) - 1;
  }

  #one(fits: Fits, length: number): number {
    const to = this.#place();
    this.#places[this.#at]?.steps.push({ fits, to });
    this.#at = to;
    return length;
  }

  #many(fits: Fits, length: number): number {
    const loop = this.#place();
    this.#places[this.#at]?.empty.push(loop);
    this.#places[loop]?.steps.push({ fits, to: loop });
    this.#at = loop;
    return length;
  }

  /** Any number of whole directories. */
  #directories(): number {
    const [loop, inside] = [this.#place(), this.#place()];
    this.#places[this.#at]?.empty.push(loop);
    this.#places[loop]?.steps.push({ fits: inName, to: inside });
    this.#places[inside]?.steps.push({ fits: inName, to: inside });
    this.#places[inside]?.steps.push({ fits: (character) => character === '/', to: loop });
    this.#at = loop;
    return 3;
  }

  #open(): number {
    this.#groups.push({ start: this.#at, ends: [] });
    this.#branch(this.#at);
    return 1;
  }

  #branch(start: number): void {
    this.#at = this.#place();
    this.#places[start]?.empty.push(this.#at);
  }

  #next(group: Group, character: string): number {
    group.ends.push(this.#at);
    if (character === ',') this.#branch(group.start);
    else {
      this.#groups.pop();
      this.#at = this.#place();
      for (const end of group.ends) this.#places[end]?.empty.push(this.#at);
    }
    return 1;
  }

  /** One character each time, so that the expression has nothing to go back over. */
  #fitsSet(isNegated: boolean, members: string): Fits {
    try {
      const set = new RegExp(`^[${isNegated ? '^' : ''}${members.replaceAll('[', '\\[')}]$`, 'su');
      return (character) => character !== '/' && set.test(character);
    } catch (error) {
      throw this.#fault(error);
    }
  }

  #fault(cause?: unknown): WreckitError {
    return new WreckitError(
      'USAGE',
      `Glob: ${quote(this.#pattern)} is not a pattern such as "src/**/*.ts"`,
      cause === undefined ? {} : { cause },
    );
  }
}
