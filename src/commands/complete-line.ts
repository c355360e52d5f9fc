import type { SpriteRunner } from '../agent/sprite-runner.ts';
import { serviceCommand } from '../agent/wisp-client/wisp-command.ts';
import { type Candidate, complete } from '../cli/complete.ts';
import type { VerbNode } from '../cli/verb.ts';
import { isObject, textOr } from '../contract/json-value.ts';
import { isServiceName, isSpriteName } from '../contract/names.ts';
import { listIn } from '../contract/normalise-list.ts';
import { configOf, spriteRunnerOf } from './context.ts';
import { globalOptions, type WreckitContext, type WreckitVerb } from './globals.ts';

/** A completion that takes longer is worth nothing. */
const LIST_DEADLINE_MS = 3000;
const ENGINES: readonly Candidate[] = [
  { value: 'local', description: 'on this machine' },
  { value: 'cloud', description: 'the sprite cloud, with a token' },
];

/** Asked by the scripts of `wreckit completion`; prints `value TAB description` lines, or `:files`. */
export const completeLineVerb = (verbs: readonly VerbNode[]): WreckitVerb => ({
  define: (command) => command,
  examples: [['wreckit __complete -- sprite att', 'Print candidates']],
  rest: {
    name: 'words...',
    description: 'Words up to the cursor, the last one unfinished',
    required: true,
  },
  async run(context) {
    const words = joinedAtEquals(context.rest);
    const line = { before: words.slice(0, -1), current: words.at(-1) ?? '' };
    const names = async (kind: string): Promise<readonly Candidate[] | null> => {
      if (kind === 'engine') return ENGINES;
      if (kind === 'service') return await serviceNames(context, line.before);
      return kind === 'sprite' ? await spriteNames(context, line.before) : null;
    };
    const completion = await complete({ verbs, globalOptions }, line, names);
    const candidates = completion === 'files' ? [] : completion;
    const text = completion === 'files' ? ':files' : candidates.map(lineOf).join('\n');
    return { data: { files: completion === 'files', candidates }, text };
  },
});

function lineOf({ value, description }: Candidate): string {
  return `${value}\t${description.split('\n')[0] ?? ''}`;
}

/** Bash hands `--cwd=/x` over as three words. */
function joinedAtEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = joined.at(-1);
    const isAfterEquals =
      words[index - 1] === '=' && before?.startsWith('--') === true && before.endsWith('=');
    if (before?.startsWith('--') === true && word === '=' && !before.includes('='))
      joined[joined.length - 1] = `${before}=`;
    else if (isAfterEquals) joined[joined.length - 1] = `${before}${word}`;
    else joined.push(word);
  }
  return joined;
}

/** The sprites of the configuration the unfinished line would use; none where they can't be listed. */
async function spriteNames(context: WreckitContext, before: readonly string[]): Promise<Candidate[]> {
  return await asked(context, before, async (runner, options) => {
    const sprites = await runner.list({}, options);
    return sprites
      .filter(({ name }) => isSpriteName(name)) // another wisp may name them as it likes
      .map(({ name, state }) => ({ value: name, description: state }));
  });
}

/** The services of the sprite that the unfinished line names: `sprite service VERB NAME …`. */
async function serviceNames(context: WreckitContext, before: readonly string[]): Promise<Candidate[]> {
  const words = before.slice(before.indexOf('service') + 2);
  const name = words.find((word) => isSpriteName(word));
  if (name === undefined) return [];
  return await asked(context, before, async (runner, options) => {
    const answer = await runner.ask(serviceCommand('list', name, []), options);
    const services = listIn(answer, 'services') ?? [];
    return services.filter(isObject).flatMap((service) => {
      if (!isServiceName(service.name)) return [];
      return [{ value: service.name, description: textOr(service.status, '') }];
    });
  });
}

async function asked(
  context: WreckitContext,
  before: readonly string[],
  ask: (runner: SpriteRunner, options: { signal: AbortSignal; timeoutMs: number }) => Promise<Candidate[]>,
): Promise<Candidate[]> {
  try {
    const engine = valueOfFlag(before, '--engine');
    const config = valueOfFlag(before, '--config');
    const cwd = valueOfFlag(before, '--cwd') ?? context.cwd;
    const globals = {
      ...context.globals,
      ...(engine === null ? {} : { engine }),
      ...(config === null ? {} : { config }),
    };
    const meant = { ...context, cwd, globals };
    const runner = await spriteRunnerOf(meant, await configOf(meant));
    return await ask(runner, { signal: context.signal, timeoutMs: LIST_DEADLINE_MS });
  } catch {
    return []; // the shell has no place for an error; the command itself will tell it
  }
}

function valueOfFlag(words: readonly string[], flag: string): string | null {
  const index = words.lastIndexOf(flag);
  if (index >= 0) return words[index + 1] ?? null;
  return words.findLast((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1) ?? null;
}
