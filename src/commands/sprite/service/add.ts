import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { environmentOf } from '../environment.ts';
import { collected, count, envSpec } from '../flags.ts';
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
It is started at once, and whenever the sprite comes up, once everything it needs runs.
A command that ends with another exit code than 0 is started again, later each time;
after 12 crashes in a row it is given up. To add it again with another command, or
other flags, replaces it.`;

export const verb: WreckitVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName)
      .option(
        '--needs <service>',
        'service that must run first (again for more)',
        collected(assertServiceName),
      )
      .option('--http-port <port>', "port it serves HTTP on, where the sprite's URL leads", count)
      .option('--dir <path>', "working directory inside: its user's home when absent")
      .option('--env <name=value>', 'variable; NAME alone: as here (again for more)', collected(envSpec))
      .option('--env-file <file>', 'NAME=VALUE lines (again for more)', collected(String))
      .option('--user <name>', 'sprite (the default) or root')
      .addHelpText('after', NOTES),
  rest: { name: 'command...', description: 'program and its arguments, in the foreground', required: true },
  examples: [
    [
      'wreckit sprite service add demo web --http-port 8000 -- python3 -m http.server 8000',
      'serves the home of "demo"',
    ],
    ['wreckit sprite service add demo api --needs db -- node api.js', 'starts after "db"'],
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
