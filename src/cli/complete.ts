/**
 * What could stand at the end of an unfinished command line: verbs, flags and values, from the same table and
 * definitions that parse it.
 */
import type { Argument, Command, Option } from 'commander';
import { type FoundVerb, findVerb } from './find-verb.ts';
import { verbCommand } from './parse-verb.ts';
import { type GlobalOption, isVerbGroup, type VerbModule, type VerbNode } from './verb.ts';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** `files`: the shell completes paths itself. */
export type Completion = readonly Candidate[] | 'files';

export interface CompletionTable {
  readonly verbs: readonly VerbNode[];
  readonly globalOptions: readonly GlobalOption[];
}

export interface CompletionLine {
  /** The words before the one under the cursor, without the program's name. */
  readonly before: readonly string[];
  readonly current: string;
}

/** Names only the program can list; `kind` is the argument's name: `sprite`. Null: it knows none of that kind. */
export type NameSource = (kind: string) => Promise<readonly Candidate[] | null>;

/** What an argument or value is called when it is a path. */
const PATH_NAMES = new Set(['file', 'dir', 'directory', 'path', 'src', 'dst']);

/** Globals alone, where no verb is named yet. */
const NO_VERB: VerbModule = { define: () => undefined, examples: [], run: async () => ({}) };

export async function complete(
  table: CompletionTable,
  { before, current }: CompletionLine,
  names: NameSource,
): Promise<Completion> {
  // What comes after "--" is another program's command line.
  if (before.includes('--')) return 'files';
  const found = foundBefore(table, before);
  if (found === null) return [];
  const module = (await found.entry?.load()) ?? NO_VERB;
  const command = verbCommand({ name: '', summary: '', module, globalOptions: table.globalOptions });
  const waiting = optionOf(command, before.at(-1) ?? '');
  if (waiting?.required === true)
    return matching(await valuesOf(waiting.argChoices, nameOfValue(waiting), names), current);
  if (current.startsWith('-')) return await completeFlag(command, found, current, names);
  if (found.entry === null) return matching(verbsOf(found.nodes), current);
  const argument = argumentAt(command, countPositionals(command, found.args));
  if (argument !== undefined)
    return matching(await valuesOf(argument.argChoices, argument.name(), names), current);
  return module.rest === undefined
    ? []
    : matching([{ value: '--', description: module.rest.description }], current);
}

/** Null where a word is no verb: nothing can follow it. */
function foundBefore({ verbs, globalOptions }: CompletionTable, before: readonly string[]): FoundVerb | null {
  try {
    return findVerb('', withoutDefaults(verbs), globalOptions, before);
  } catch {
    return null; // an unknown verb: the program says so when it is run
  }
}

/** A group's verbs are offered also where it has a default one. */
function withoutDefaults(nodes: readonly VerbNode[]): VerbNode[] {
  return nodes.map((node) => {
    if (!isVerbGroup(node)) return node;
    const { defaultVerb: _, ...group } = node;
    return { ...group, verbs: withoutDefaults(node.verbs) };
  });
}

async function completeFlag(
  command: Command,
  found: FoundVerb,
  current: string,
  names: NameSource,
): Promise<Completion> {
  const equals = current.indexOf('=');
  if (equals < 0) return matching(flagsOf(command, found.args), current);
  const flag = current.slice(0, equals);
  const option = optionOf(command, flag);
  if (option === undefined) return [];
  const values = await valuesOf(option.argChoices, nameOfValue(option), names);
  if (values === 'files') return [];
  return matching(
    values.map((candidate) => ({ ...candidate, value: `${flag}=${candidate.value}` })),
    current,
  );
}

function flagsOf(command: Command, args: readonly string[]): Candidate[] {
  const flags = [...command.options, command.createOption('-h, --help', 'Print this help')];
  return flags
    .filter((option) => !option.hidden && (option.variadic || !isUsed(option, args)))
    .map((option) => ({ value: option.long ?? option.short ?? '', description: option.description }));
}

/** An option that collects values has a parser and may stand again. */
function isUsed(option: Option, args: readonly string[]): boolean {
  const isRepeatable = option.required && option.parseArg !== undefined;
  return !isRepeatable && args.some((word) => word === option.long || word === option.short);
}

function verbsOf(nodes: readonly VerbNode[]): Candidate[] {
  return nodes
    .filter(({ hidden }) => hidden !== true)
    .map(({ name, summary }) => ({ value: name, description: summary }));
}

async function valuesOf(
  choices: readonly string[] | undefined,
  name: string,
  names: NameSource,
): Promise<Completion> {
  if (choices !== undefined) return choices.map((value) => ({ value, description: '' }));
  if (PATH_NAMES.has(name)) return 'files';
  return (await names(name)) ?? [];
}

function optionOf(command: Command, word: string): Option | undefined {
  return command.options.find((option) => word !== '' && (option.long === word || option.short === word));
}

/** `dir` of `--cwd <dir>`. */
function nameOfValue({ flags }: Option): string {
  return /[<[]([^\]>.]+)/.exec(flags)?.[1] ?? '';
}

function countPositionals(command: Command, args: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    if (!word.startsWith('-')) count += 1;
    else if (optionOf(command, word)?.required === true) index += 1;
  }
  return count;
}

function argumentAt(command: Command, position: number): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
}

function matching(completion: Completion, current: string): Completion {
  return completion === 'files' ? completion : completion.filter(({ value }) => value.startsWith(current));
}
