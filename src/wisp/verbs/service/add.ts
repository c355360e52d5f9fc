import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { calledAs } from '../../called-as.ts';
import { createEngine } from '../../create-engine.ts';
import { environmentOf } from '../../environment.ts';
import { collected, envSpec, insideDir, userName } from '../../flags.ts';
import type { WispVerb } from '../../globals.ts';
import { afterStart, httpPort, serviceResult, servicesOf } from './services.ts';

type Options = {
  readonly dir?: string;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly user?: string;
  readonly needs?: string[];
  readonly httpPort?: number;
};

const NOTES = `
It is started at once, and whenever the sprite comes up, once everything it needs runs
(or has ended with exit code 0). A command that ends with another exit code is started
again after 1s, 2s, 4s ... 60s; after 12 crashes in a row it is given up. Running for
a minute begins the count anew. Exit code 0 is the end of it until the next start.

To add it again with another command, or other flags, replaces it. Its logs go on.`;

export const verb: WispVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName)
      .option(
        '--needs <service>',
        'service that must run first (again for more)',
        collected(assertServiceName),
      )
      .option('--http-port <port>', "port it serves HTTP on, where the sprite's URL leads", httpPort)
      .option('--dir <path>', "working directory inside: its user's home when absent", insideDir)
      .option('--env <name=value>', 'variable; NAME alone: as here (again for more)', collected(envSpec))
      .option(
        '--env-file <file>',
        'NAME=VALUE lines, for what must not show in ps (again for more)',
        collected(String),
      )
      .option('--user <name>', 'sprite (the default), or root of the sprite', userName)
      .addHelpText('after', NOTES),
  rest: { name: 'command...', description: 'program and its arguments, in the foreground', required: true },
  examples: [
    [
      'wisp service add demo web --http-port 8000 -- python3 -m http.server 8000',
      'serves the home of "demo"',
    ],
    ['wisp service add demo db --dir /home/sprite/project -- ./start-db', 'in a directory'],
    ['wisp service add demo api --needs db --env PORT=3000 -- node api.js', 'starts after "db"'],
  ],
  async run(context) {
    const { args, options, rest, signal } = context;
    const [name, service] = args;
    const { dir, user, needs = [] } = options;
    const env = environmentOf(options, context);
    const services = servicesOf(await createEngine(context));
    await services.put(
      name,
      service,
      {
        command: rest,
        dir,
        user,
        env: Object.keys(env).length === 0 ? undefined : env,
        needs: [...new Set(needs)],
        httpPort: options.httpPort ?? null,
      },
      { signal },
    );
    const now = await afterStart(services, name, service, { signal });
    return serviceResult(now, name, calledAs(context.io.env));
  },
};
