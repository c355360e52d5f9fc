import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { collected, envSpec } from '../../../cli/flag-values.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { environmentOf } from '../environment.ts';
import { count } from '../flags.ts';
import { passOn } from './pass-on.ts';

type Options = {
  readonly needs?: string[];
  readonly httpPort?: string;
  readonly dir?: string;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly user?: string;
};

const NOTES = `
A service starts now, and whenever the sprite comes up, once everything it needs runs.
If it crashes (exit code other than 0) it is restarted, with growing delays, and given
up after 12 crashes in a row. Adding it again with another command or other flags
replaces it.`;

export const verb: WreckitVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .option('--needs <service>', 'Service that must run first (repeatable)', collected(assertServiceName))
      .option('--http-port <port>', "Port it serves HTTP on; the sprite's URL leads there", count)
      .option('--dir <path>', "Working directory in the sprite; default: the user's home")
      .option(
        '--env <name=value>',
        'Set a variable; NAME alone copies yours (repeatable)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'Read NAME=VALUE lines from a file (repeatable)', collected(String))
      .option('--user <name>', 'User: sprite or root; default: sprite')
      .addHelpText('after', NOTES),
  rest: {
    name: 'command...',
    description: 'Program and arguments; it must stay in the foreground',
    required: true,
  },
  examples: [
    [
      'wreckit sprite service add demo web --http-port 8000 -- python3 -m http.server 8000',
      'Serve the home directory of "demo"',
    ],
    ['wreckit sprite service add demo api --needs db -- node api.js', 'Start after "db"'],
  ],
  async run(context) {
    using env = environmentOf(context.options, context);
    const [name, service] = context.args;
    const { needs, httpPort, dir, user } = context.options;
    const flags = { needs, httpPort, dir, user, env: env.pairs, envFiles: env.files };
    // Awaited here: the private file of the environment is read meanwhile.
    return await passOn(context, serviceCommand('add', name, [service], { flags, command: context.rest }));
  },
};
