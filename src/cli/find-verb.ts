/** Finds the verb's words among the arguments, without loading the verb or the option parser. */
import { quote } from '../contract/names.ts';
import { WreckitError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { type GlobalOption, isVerbGroup, type VerbEntry, type VerbGroup, type VerbNode } from './verb.ts';

export interface FoundVerb {
  /** The verb's words, without the program's name. */
  readonly path: readonly string[];
  /** The verb, or the group (the program itself at the top) where the words ended. */
  readonly entry: VerbEntry | null;
  readonly nodes: readonly VerbNode[];
  /** The innermost group named; null at the top. */
  readonly group: VerbGroup | null;
  /** The arguments before `--`, without the verb's words. */
  readonly args: readonly string[];
  /** The arguments after `--`; null without one. */
  readonly rest: readonly string[] | null;
}

/** Splits at the first `--`: what follows is the command's and is never looked at. */
export function splitAtDashes(argv: readonly string[]): { head: string[]; rest: string[] | null } {
  const index = argv.indexOf('--');
  if (index < 0) return { head: [...argv], rest: null };
  return { head: argv.slice(0, index), rest: argv.slice(index + 1) };
}

/** Throws `USAGE` for a word that is no verb, naming the nearest one. */
export function findVerb(
  program: string,
  verbs: readonly VerbNode[],
  globalOptions: readonly GlobalOption[],
  argv: readonly string[],
): FoundVerb {
  const { head, rest } = splitAtDashes(argv);
  const takesValue = flagsWithValue(globalOptions);
  const path: string[] = [];
  const args: string[] = [];
  let group: VerbGroup | null = null;
  const found = (entry: VerbEntry | null, more: readonly string[] = []): FoundVerb => ({
    path: entry === null ? path : [...path, entry.name],
    entry,
    nodes: group?.verbs ?? verbs,
    group,
    args: [...args, ...more],
    rest,
  });
  for (let index = 0; index < head.length; index += 1) {
    const word = head[index] ?? '';
    if (word.startsWith('-') && word !== '-') {
      args.push(word);
      const value = head[index + 1];
      if (takesValue.has(word) && value !== undefined) {
        args.push(value);
        index += 1;
      }
      continue;
    }
    const nodes: readonly VerbNode[] = group?.verbs ?? verbs;
    const node = nodes.find(({ name }) => name === word);
    if (node === undefined && word === 'help') {
      args.push('--help'); // `help sprite start` is `sprite start --help`
      continue;
    }
    if (node === undefined && isValueOfOwnFlag(head[index - 1], globalOptions)) {
      const fallback = defaultOf(group, args);
      if (fallback !== null) return found(fallback, head.slice(index));
    }
    if (node === undefined) throw unknownVerb(program, path, word, nodes);
    if (!isVerbGroup(node)) return found(node, head.slice(index + 1));
    path.push(node.name);
    group = node;
  }
  return found(defaultOf(group, args));
}

function defaultOf(group: VerbGroup | null, args: readonly string[]): VerbEntry | null {
  if (group?.defaultVerb === undefined || args.includes('--help') || args.includes('-h')) return null;
  const node = group.verbs.find(({ name }) => name === group.defaultVerb);
  return node !== undefined && !isVerbGroup(node) ? node : null;
}

/** In `mcp --allow exec_in_sprite` the last word is a flag's value, not a verb: the flag is the default verb's. */
function isValueOfOwnFlag(before: string | undefined, globalOptions: readonly GlobalOption[]): boolean {
  if (before === undefined || !before.startsWith('-') || before.includes('=')) return false;
  return !globalOptions.some(({ flags }) => flags.split(/[ ,]+/).includes(before));
}

/** `-c` and `--config` of `-c, --config <file>`. */
function flagsWithValue(globalOptions: readonly GlobalOption[]): Set<string> {
  const withValue = globalOptions.filter(({ flags }) => flags.includes('<'));
  return new Set(withValue.flatMap(({ flags }) => flags.match(/(?<![\w-])--?[a-z][\w-]*/gi) ?? []));
}

function unknownVerb(
  program: string,
  path: readonly string[],
  word: string,
  nodes: readonly VerbNode[],
): Error {
  const prefix = [program, ...path].join(' ');
  const near = nearest(
    word,
    nodes.filter(({ hidden }) => hidden !== true).map(({ name }) => name),
  );
  const hint = near === null ? `list all commands: ${prefix} --help` : `did you mean: ${prefix} ${near}`;
  return new WreckitError('USAGE', `${prefix}: ${quote(word)} is not a command`, { hint });
}
