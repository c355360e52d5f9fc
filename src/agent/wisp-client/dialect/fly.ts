/**
 * Fly's `sprite` command: start, list, exec, attach and kill in its words (docs/wisp-contract.md, "The `sprite`
 * dialect"). It is stricter than it is able: a verb, flag or value it has no sure words for is `UNSUPPORTED`,
 * by name, and nothing is run. Environment goes through argv there, which everybody can read, so that only
 * what the user has written out goes that way.
 */
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import { verbOf, type WispCommand } from '../wisp-command.ts';
import type { ArgvOptions } from './dialect.ts';
import { type FlyWords, flyWords, unsupported } from './fly-words.ts';

/** The list of all sprites; the command has no `--json`. */
export const FLY_LIST_PATH = '/v1/sprites';

/** What may stand alone behind `--`: a single word with blanks in it may be taken for a line of shell there. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** The words after the program of each call that is sure to be made. Throws `UNSUPPORTED`. */
export function flySteps(command: WispCommand, options: ArgvOptions): string[][] {
  const words = flyWords(command);
  if (options.engine !== undefined && options.engine !== 'cloud') {
    throw unsupported(words.verb, `it has no engine ${quote(options.engine)}, its sprites are in the cloud`);
  }
  switch (words.verb) {
    case 'start':
      return [flyApi(FLY_LIST_PATH), ['create', '--skip-console', nameIn(words)], flyApi(FLY_LIST_PATH)];
    case 'list':
      return [flyApi(FLY_LIST_PATH)];
    case 'exec':
      return [execWords(words)];
    case 'attach':
      return [attachWords(words, options)];
    case 'kill':
      return [flyApi(FLY_LIST_PATH), ...words.operands.map(flyDestroy), flyApi(FLY_LIST_PATH)];
    default:
      throw unsupported(words.verb, 'it has no sure words for this');
  }
}

export function flyApi(path: string): string[] {
  return ['api', path];
}

export function flyDestroy(name: string): string[] {
  return ['destroy', '-s', name, '--force'];
}

/** For calls whose streams are handed over: those of one step. Throws `UNSUPPORTED`. */
export function flyStream(command: WispCommand, options: ArgvOptions): string[] {
  const [step, ...others] = flySteps(command, options);
  if (step !== undefined && others.length === 0) return step;
  throw unsupported(verbOf(command), 'its bytes cannot be handed over as they are');
}

function execWords(words: FlyWords): string[] {
  const { flags, rest } = words;
  const env = flags.get('--env') ?? [];
  const comma = env.find((pair) => pair.includes(','));
  if (comma !== undefined) {
    const name = comma.slice(0, comma.indexOf('='));
    throw unsupported('exec', `--env ${name}: it parts variables by commas, so a value can have none`);
  }
  const [first] = rest;
  if (first !== undefined && rest.length === 1 && !PLAIN_WORD.test(first)) {
    throw unsupported(
      'exec',
      `it may take the one word ${quote(first)} for a line of shell; write what is meant: sh -c '…'`,
    );
  }
  return [
    'exec',
    '-s',
    nameIn(words),
    ...(flags.get('--dir') ?? []).flatMap((dir) => ['--dir', dir]),
    '--no-port-forward',
    ...(flags.has('--tty') ? ['--tty'] : []),
    ...(env.length === 0 ? [] : ['--env', env.join(',')]),
    '--',
    ...rest,
  ];
}

function attachWords(words: FlyWords, { json }: ArgvOptions): string[] {
  if (json) throw unsupported('attach', "--json: it has no words for a session's state");
  const session = words.operands[1];
  if (session !== undefined) {
    throw unsupported('attach', `session ${quote(session)}: it opens a new shell and no other session`);
  }
  return ['console', '-s', nameIn(words)];
}

function nameIn({ verb, operands }: FlyWords): string {
  const [name] = operands;
  if (name !== undefined) return name;
  throw new WreckitError('USAGE', `${verb}: no sprite named`);
}
