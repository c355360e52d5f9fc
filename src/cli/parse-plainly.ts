/**
 * Command lines of the plain kind, without commander, which takes longer to load than a quick verb to run: known
 * flags written out, a value in the word after its flag, the right number of operands. Everything else – help, `-f`
 * joined with a value, a wrong word, a value that is refused – is null, and commander's to understand or to explain.
 */
import type { ParsedVerb, ParseRequest } from './parse-verb.ts';

type Parse = (text: string, previous: unknown) => unknown;

interface PlainOption {
  readonly attribute: string;
  readonly takesValue: boolean;
  readonly isNegated: boolean;
  readonly parse: Parse | undefined;
  readonly isGlobal: boolean;
}

interface PlainArgument {
  readonly isRequired: boolean;
  readonly parse: Parse | undefined;
}

/** What commander says by exceptions and suggestions is said here by giving up. */
class NotPlain extends Error {}

/** Stands for commander's Command where a verb defines itself. */
class PlainDefinition {
  readonly options = new Map<string, PlainOption>();
  readonly arguments: PlainArgument[] = [];
  readonly values: Record<string, unknown> = {};
  #isGlobal = false;

  /** From here on the options are the program's. */
  beginGlobals(): void {
    this.#isGlobal = true;
  }

  argument(name: string, _description?: string, parse?: unknown, defaultValue?: unknown): this {
    if (!/^[<[][a-z-]+[\]>]$/.test(name) || defaultValue !== undefined) throw new NotPlain();
    this.arguments.push({ isRequired: name.startsWith('<'), parse: parseOf(parse) });
    return this;
  }

  option(flags: string, _description?: string, parse?: unknown, defaultValue?: unknown): this {
    const [, short, long = '', value] = /^(?:(-[a-zA-Z]), )?--([a-z-]+)(?: (<[^.>]+>))?$/.exec(flags) ?? [];
    // Left out: it is unknown here, so a command line that has it is not plain.
    if (long === '' && defaultValue === undefined) return this;
    if (long === '') throw new NotPlain();
    const isNegated = long.startsWith('no-');
    const positive = isNegated ? long.slice(3) : long;
    const attribute = positive.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    if (isNegated && !this.options.has(`--${positive}`)) this.values[attribute] = true;
    if (defaultValue !== undefined) this.values[attribute] = defaultValue;
    const option: PlainOption = {
      attribute,
      takesValue: value !== undefined,
      isNegated,
      parse: parseOf(parse),
      isGlobal: this.#isGlobal,
    };
    for (const flag of [`--${long}`, short]) if (flag !== undefined) this.options.set(flag, option);
    return this;
  }

  addHelpText(): this {
    return this;
  }
}

function parseOf(parse: unknown): Parse | undefined {
  if (parse === undefined || typeof parse === 'function') return parse as Parse | undefined;
  throw new NotPlain();
}

export function parsePlainly(request: ParseRequest): ParsedVerb | null {
  const { module, args, rest, globalOptions } = request;
  const isRestAsDeclared = module.rest === undefined ? rest === null : rest !== null || !module.rest.required;
  if (!isRestAsDeclared || (module.rest?.required === true && rest?.length === 0)) return null;
  try {
    const definition = new PlainDefinition();
    module.define(definition as never);
    definition.beginGlobals();
    for (const { flags, description, parse } of globalOptions) definition.option(flags, description, parse);
    return { kind: 'run', ...parseWords(definition, args), rest: rest ?? [] };
  } catch {
    return null; // Also what a parser refuses: commander comes to the same end, and tells it.
  }
}

function parseWords(
  definition: PlainDefinition,
  words: readonly string[],
): Pick<Run, 'globals' | 'options' | 'args'> {
  const { options, values } = definition;
  const operands: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    const option = options.get(word);
    if (option === undefined) throw new NotPlain();
    const { attribute, takesValue, isNegated, parse } = option;
    const value = takesValue ? words[index + 1] : undefined;
    if (takesValue && (value === undefined || value.startsWith('-'))) throw new NotPlain();
    if (value === undefined) values[attribute] = !isNegated;
    else values[attribute] = parse === undefined ? value : parse(value, values[attribute]);
    if (takesValue) index += 1;
  }
  const globalNames = new Set(
    [...options.values()].filter(({ isGlobal }) => isGlobal).map(({ attribute }) => attribute),
  );
  const entries = Object.entries(values);
  return {
    globals: Object.fromEntries(entries.filter(([name]) => globalNames.has(name))),
    options: Object.fromEntries(entries.filter(([name]) => !globalNames.has(name))),
    args: operandValues(definition.arguments, operands),
  };
}

type Run = Extract<ParsedVerb, { kind: 'run' }>;

function operandValues(declared: readonly PlainArgument[], operands: readonly string[]): unknown[] {
  if (operands.length > declared.length) throw new NotPlain();
  return declared.map(({ isRequired, parse }, index) => {
    const operand = operands[index];
    if (operand === undefined && isRequired) throw new NotPlain();
    return operand === undefined || parse === undefined ? operand : parse(operand, undefined);
  });
}
