/** A program of a few odd verbs, run in process and as a real process by the tests of `src/cli`. */
import { main } from '../../cli/main.ts';
import type { Program } from '../../cli/program.ts';
import type { VerbModule, VerbNode } from '../../cli/verb.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { parseDurationMs } from '../../contract/units.ts';
import { WreckitError } from '../../errors.ts';

const exec: VerbModule<{ timeout?: number; env?: string[] }, readonly [string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .option('--timeout <duration>', 'time limit', parseDurationMs)
      .option('--env <key=value>', 'variable', (text, all: string[] = []) => [...all, text]),
  examples: [['sample sprite exec demo -- ls -la', 'lists files']],
  rest: { name: 'command...', description: 'the command and its arguments', required: true },
  async run({ args, options, globals, rest, cwd, warn }) {
    await warn('careful');
    return { data: { args, options, globals, rest, cwd }, text: `ran ${rest.join(' ')}`, exitCode: 3 };
  },
};

const list: VerbModule<object, readonly [string?]> = {
  define: (command) => command.argument('[prefix]', 'beginning of the names'),
  examples: [['sample sprite list', 'lists']],
  async run({ args, warn }) {
    if (args[0] !== undefined) await warn(`listing "${args[0]}"`);
    return { data: { prefix: args[0] ?? null }, text: ({ columns }) => `columns ${columns}` };
  },
};

const fail: VerbModule = {
  define: () => undefined,
  examples: [['sample fail', 'fails']],
  run: async () => {
    throw new WreckitError('SPRITE_NOT_FOUND', 'kill: no sprite is called "x\x1b[2J"', {
      details: { name: 'x' },
    });
  },
};

const crash: VerbModule = {
  define: () => undefined,
  examples: [['sample crash', 'crashes']],
  run: async () => {
    throw new TypeError('undefined is not a function');
  },
  exitCodeOf: () => 125,
};

const big: VerbModule<{ bytes: number }> = {
  define: (command) => command.option('--bytes <n>', 'size', Number, 8_000_000),
  examples: [['sample big', 'prints much']],
  run: async ({ options }) => ({ data: 'x'.repeat(options.bytes), text: 'line\n'.repeat(options.bytes / 5) }),
};

/** Writes for as long as somebody reads. */
const flood: VerbModule = {
  define: () => undefined,
  examples: [['sample flood', 'never ends']],
  async run({ io }) {
    const chunk = new Uint8Array(65_536).fill(65);
    while (await io.stdout.write(chunk));
    return { exitCode: 0 };
  },
};

/** Says it is ready, then waits for a signal and cleans up; `--stuck` never comes back. */
const wait: VerbModule<{ stuck?: boolean }> = {
  define: (command) => command.option('--stuck', 'do not end'),
  examples: [['sample wait', 'waits']],
  async run({ io, signal, options }) {
    const timer = setInterval(() => undefined, 1000);
    const interrupted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await io.stderr.write('ready\n');
    await interrupted;
    await io.stderr.write('cleaning up\n');
    if (options.stuck === true) await new Promise(() => undefined);
    clearInterval(timer);
    throw new Error('gave up');
  },
};

/** Fails where no verb waits for it; `--reject`: as a promise. */
const stray: VerbModule<{ reject?: boolean }> = {
  define: (command) => command.option('--reject', 'reject instead of throwing'),
  examples: [['sample stray', 'fails in the background']],
  async run({ options }) {
    setTimeout(() => {
      if (options.reject !== true) throw new Error('stray fault');
      void Promise.reject(new Error('stray fault'));
    }, 1);
    return await new Promise(() => undefined);
  },
};

async function neverLoaded(): Promise<VerbModule> {
  throw new Error('a verb was loaded that was not called');
}

const verbs: readonly VerbNode[] = [
  {
    name: 'sprite',
    summary: 'handle sprites',
    defaultVerb: 'list',
    verbs: [
      { name: 'exec', summary: 'run a command', load: async () => exec },
      { name: 'list', summary: 'list sprites', load: async () => list },
      { name: 'secret', summary: 'hidden', hidden: true, load: neverLoaded },
    ],
  },
  { name: 'config', summary: 'configuration', verbs: [{ name: 'show', summary: 's', load: neverLoaded }] },
  { name: 'fail', summary: 'fail', section: 'Faults', load: async () => fail },
  { name: 'crash', summary: 'crash', section: 'Faults', load: async () => crash },
  { name: 'big', summary: 'print much', load: async () => big },
  { name: 'flood', summary: 'print for ever', load: async () => flood },
  { name: 'wait', summary: 'wait', load: async () => wait },
  { name: 'stray', summary: 'fail in the background', load: async () => stray },
  { name: 'never', summary: 'not loaded', load: neverLoaded },
];

export const sample: Program = {
  name: 'sample',
  summary: 'A sample program.',
  version: () => '1.2.3',
  verbs,
  globalOptions: [
    { flags: '--json', description: 'JSON' },
    { flags: '--cwd <dir>', description: 'directory' },
    { flags: '-q, --quiet', description: 'quiet' },
    { flags: '--verbose', description: 'more' },
    { flags: '--no-input', description: 'never ask' },
  ],
};

if (process.argv[1]?.endsWith('sample-program.ts') === true) void main(sample);
