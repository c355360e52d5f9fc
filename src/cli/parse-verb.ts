/** One verb's arguments through commander: global and own options in any order, errors as `USAGE`. */
import { Command, type CommanderError, type Option } from 'commander';
import { WreckitError } from '../errors.ts';
import type { GlobalOption, VerbModule } from './verb.ts';

export interface ParseRequest {
  /** Program and verb: `wreckit sprite start`. */
  readonly name: string;
  readonly summary: string;
  readonly module: VerbModule;
  readonly globalOptions: readonly GlobalOption[];
  readonly args: readonly string[];
  readonly rest: readonly string[] | null;
  readonly columns: number | null;
}

export type ParsedVerb =
  | { readonly kind: 'help'; readonly text: string }
  | {
      readonly kind: 'run';
      readonly globals: Record<string, unknown>;
      readonly options: Record<string, unknown>;
      readonly args: readonly unknown[];
      readonly rest: readonly string[];
    };

/** Throws `USAGE`, or what a parser of the verb threw. */
export function parseVerb(request: ParseRequest): ParsedVerb {
  const { module, args } = request;
  let help = '';
  const command = verbCommand(request);
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    writeErr: () => undefined,
    getOutHelpWidth: () => request.columns ?? 100,
    getOutHasColors: () => false,
  });
  const isOperands = module.rest === undefined && request.rest !== null;
  try {
    command.parse(isOperands ? [...args, '--', ...(request.rest ?? [])] : [...args], { from: 'user' });
  } catch (thrown) {
    if (!isCommanderError(thrown)) throw thrown;
    if (thrown.code === 'commander.helpDisplayed') return { kind: 'help', text: help };
    throw usageError(request, thrown);
  }
  const rest = isOperands ? [] : (request.rest ?? []);
  if (module.rest?.required === true && rest.length === 0) throw missingRest(request);
  return { kind: 'run', ...splitOptions(command, request.globalOptions), args: command.processedArgs, rest };
}

const GLOBAL_OPTIONS = 'Global options:';

/** The commander command of a verb, complete but for where its output goes. */
export function verbCommand({
  name,
  summary,
  module,
  globalOptions,
}: Pick<ParseRequest, 'name' | 'summary' | 'module' | 'globalOptions'>): Command {
  const command = new Command(name).description(summary).exitOverride();
  module.define(command);
  if (module.rest !== undefined) {
    const { name: restName, required } = module.rest;
    const operands = command.registeredArguments.map((argument) => {
      const label = argument.variadic ? `${argument.name()}...` : argument.name();
      return argument.required ? `<${label}>` : `[${label}]`;
    });
    command.usage(['[options]', ...operands, required ? `-- <${restName}>` : `[-- <${restName}>]`].join(' '));
    command.addHelpText('after', `\nAfter "--":\n  ${restName}  ${module.rest.description}`);
  }
  for (const { flags, description, parse } of globalOptions) {
    const option = command.createOption(flags, description).helpGroup(GLOBAL_OPTIONS);
    if (parse !== undefined) option.argParser(parse);
    command.addOption(option);
  }
  command.addHelpOption(command.createOption('-h, --help', 'Print this help').helpGroup(GLOBAL_OPTIONS));
  for (const option of command.options) namedParser(option);
  const examples = module.examples.map(([line, does]) => `  ${line}\n      ${does}`);
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  return command;
}

/** What a parser complains about is told with the option's name before it. */
function namedParser(option: Option): void {
  const parse = option.parseArg;
  if (parse === undefined) return;
  option.parseArg = <T>(text: string, previous: T): T => {
    try {
      return parse(text, previous);
    } catch (thrown) {
      if (!(thrown instanceof WreckitError)) throw thrown;
      const { code, hint, details, cause } = thrown;
      throw new WreckitError(code, `${option.long ?? option.flags}: ${thrown.message}`, {
        hint,
        details,
        cause,
      });
    }
  };
}

function splitOptions(
  command: Command,
  globalOptions: readonly GlobalOption[],
): { globals: Record<string, unknown>; options: Record<string, unknown> } {
  const globalNames = new Set(globalOptions.map(({ flags }) => command.createOption(flags).attributeName()));
  const globals: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(command.opts())) {
    if (globalNames.has(name)) globals[name] = value;
    else options[name] = value;
  }
  return { globals, options };
}

function isCommanderError(thrown: unknown): thrown is CommanderError {
  return thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('commander.');
}

/** `error: unknown option '--jsn'\n(Did you mean --json?)` in the form of all other messages. */
function usageError({ name, module }: ParseRequest, error: CommanderError): WreckitError {
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (.*)\?\)/.exec(more.join(' '))?.[1];
  const isBeyond = error.code === 'commander.unknownOption' || error.code === 'commander.excessArguments';
  let hint = `see its arguments and examples: ${name} --help`;
  if (suggestion !== undefined) hint = `did you mean: ${suggestion}`;
  else if (module.rest !== undefined && isBeyond)
    hint = `what belongs to the command comes after "--": ${example(module)}`;
  return new WreckitError(
    'USAGE',
    `${name}: ${first.replace('. Expected', ': expected').replace(/\.$/, '').replaceAll("'", '"')}`,
    { hint },
  );
}

function missingRest({ name, module }: ParseRequest): WreckitError {
  return new WreckitError('USAGE', `${name}: no ${module.rest?.name.replace(/\.+$/, '')} given after "--"`, {
    hint: `for example: ${example(module)}`,
  });
}

function example(module: VerbModule): string {
  return module.examples.find(([line]) => line.includes(' -- '))?.[0] ?? module.examples[0]?.[0] ?? '';
}
