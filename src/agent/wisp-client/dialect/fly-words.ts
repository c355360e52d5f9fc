/** A command line of the wisp contract taken apart, as far as Fly's dialect goes. */
import { WreckitError } from '../../../errors.ts';
import { verbOf, type WispCommand } from '../wisp-command.ts';

export interface FlyWords {
  readonly verb: string;
  readonly operands: readonly string[];
  /** All values of a flag; none for a switch. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** What follows `--`. */
  readonly rest: readonly string[];
}

interface Grammar {
  readonly values: readonly string[];
  readonly switches: readonly string[];
}

/**
 * What each verb can honour. Input is always handed to the command, so `--stdin` needs no word; size and form
 * of the captured output, and the choice among the listed, are this program's own doing.
 */
const GRAMMARS: Readonly<Record<string, Grammar>> = {
  start: { values: [], switches: [] },
  list: { values: ['--prefix', '--label'], switches: [] },
  exec: { values: ['--dir', '--env', '--max-output', '--encoding'], switches: ['--tty', '--stdin'] },
  attach: { values: [], switches: [] },
  kill: { values: ['--label'], switches: [] },
};

const REASONS: Readonly<Record<string, string>> = {
  '--env-file':
    'a variable would have to go through argv, where everybody can read it; --env NAME=VALUE does so',
};

/** Throws `UNSUPPORTED` for a verb or flag the dialect lacks. */
export function flyWords(command: WispCommand): FlyWords {
  const verb = verbOf(command);
  const grammar = GRAMMARS[verb];
  if (grammar === undefined) throw unsupported(verb, 'it has no sure words for this');
  const dashes = command.args.indexOf('--');
  const head = dashes === -1 ? command.args : command.args.slice(0, dashes);
  const operands: string[] = [];
  const flags = new Map<string, string[]>();
  for (let index = 0; index < head.length; index += 1) {
    const word = head[index] ?? '';
    if (!word.startsWith('--')) operands.push(word);
    else if (grammar.switches.includes(word)) flags.set(word, []);
    else if (grammar.values.includes(word)) {
      index += 1;
      flags.set(word, [...(flags.get(word) ?? []), valueAfter(word, head[index])]);
    } else throw unsupported(verb, `${word}: ${REASONS[word] ?? 'it has no words for it'}`);
  }
  return { verb, operands, flags, rest: dashes === -1 ? [] : command.args.slice(dashes + 1) };
}

/** Throws `UNSUPPORTED`: what Fly's command can't do is never left out in silence. */
export function unsupported(verb: string, what: string): WreckitError {
  return new WreckitError('UNSUPPORTED', `${verb}: agent.wispPath is Fly's sprite command; ${what}`, {
    hint: 'remove agent.wispPath to use the bundled wisp, for the cloud with --engine cloud',
  });
}

function valueAfter(flag: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new WreckitError('USAGE', `${flag}: no value given`);
}
