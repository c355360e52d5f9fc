import { collected, envSpec } from '../../../cli/flag-values.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { calledAs } from '../../called-as.ts';
import { createEngine } from '../../create-engine.ts';
import { environmentOf } from '../../environment.ts';
import { insideDir, userName } from '../../flags.ts';
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
A service starts now, and whenever the sprite comes up, once everything it needs runs
(or has exited with code 0). If it crashes (any other exit code) it is restarted after
1s, 2s, 4s ... 60s, and given up after 12 crashes in a row; a minute of running resets
the count. After exit code 0 it stays down until the next start.

Adding it again with another command or other flags replaces it and keeps its logs.`;

export const verb: WispVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .option('--needs <service>', 'Service that must run first (repeatable)', collected(assertServiceName))
      .option('--http-port <port>', "Port it serves HTTP on; the sprite's URL leads there", httpPort)
      .option('--dir <path>', "Working directory in the sprite; default: the user's home", insideDir)
      .option(
        '--env <name=value>',
        'Set a variable; NAME alone copies yours (repeatable)',
        collected(envSpec),
      )
      .option(
        '--env-file <file>',
        'Read NAME=VALUE lines from a file, unseen by ps (repeatable)',
        collected(String),
      )
      .option('--user <name>', 'User: sprite or root; default: sprite', userName)
      .addHelpText('after', NOTES),
  rest: {
    name: 'command...',
    description: 'Program and arguments; it must stay in the foreground',
    required: true,
  },
  examples: [
    [
      'wisp service add demo web --http-port 8000 -- python3 -m http.server 8000',
      'Serve the home directory of "demo"',
    ],
    ['wisp service add demo db --dir /home/sprite/project -- ./start-db', 'In a directory'],
    ['wisp service add demo api --needs db --env PORT=3000 -- node api.js', 'Start after "db"'],
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
