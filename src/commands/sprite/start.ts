import { resolve } from 'node:path';
import { startWithinLimit } from '../../agent/start-within-limit.ts';
import type { SpriteStartSpec } from '../../agent/wisp-client/wisp-client.ts';
import {
  listCommand,
  pushCommand,
  startCommand,
  type WispCommand,
} from '../../agent/wisp-client/wisp-command.ts';
import { collected, envSpec } from '../../cli/flag-values.ts';
import { startedText } from '../../cli/sprite-text.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { Isolation, Network } from '../../contract/schemas.ts';
import type { SpriteAgentConfig } from '../../schemas.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { environmentOf } from './environment.ts';
import { collectedPairs, count, cpus, duration, durationOrNever, oneOf, size } from './flags.ts';
import { becomeWisp } from './hand-over.ts';
import { plannedCommands, type SpriteTools, withSprites } from './sprite-tools.ts';

type Options = {
  readonly image?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly pids?: string;
  readonly network?: Network;
  readonly allow?: string[];
  readonly env?: string[];
  readonly envFile?: string[];
  readonly label?: Record<string, string>;
  readonly ttl?: string;
  readonly idleTimeout?: string;
  readonly from?: string;
  readonly minIsolation?: Isolation;
  readonly push?: string | true;
};

type Context = WreckitContext<Options, [name: string]>;

export const verb: WreckitVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--image <path>', 'Root file system: a directory, a tar archive or "host" (this machine\'s)')
      .option('--memory <size>', 'Memory limit, such as 512MiB', size)
      .option('--cpus <n>', 'CPU limit, such as 1 or 0.5', cpus)
      .option('--pids <n>', 'Limit of processes and threads', count)
      .option(
        '--network <mode>',
        'Network: none, filtered or open; default: none',
        oneOf('none', 'filtered', 'open'),
      )
      .option('--allow <domain>', 'Domain it may reach when filtered (repeatable)', collected(String))
      .option(
        '--env <name=value>',
        'Set a variable for all commands; NAME alone copies yours (repeatable)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'Read NAME=VALUE lines from a file (repeatable)', collected(String))
      .option('--label <key=value>', 'Label to find it by (repeatable)', collectedPairs)
      .option('--ttl <duration>', 'Lifetime, such as 2h; then gc may remove it', duration)
      .option(
        '--idle-timeout <duration>',
        'Idle time before wisp serve puts it to sleep, or never',
        durationOrNever,
      )
      .option('--from <sprite>', 'Start as a copy of a sprite, or of its checkpoint: NAME@CHECKPOINT')
      .option(
        '--min-isolation <level>',
        'Fail below this isolation: namespace, userkernel or vm',
        oneOf('namespace', 'userkernel', 'vm'),
      )
      .option('--push [dir]', 'Then push the project of this directory; default: the current one'),
  examples: [
    ['wreckit sprite start demo', "This machine's tools, no network"],
    [
      'wreckit sprite start demo --memory 2GiB --cpus 2 --ttl 2h',
      'More memory and CPU, removable after two hours',
    ],
    ['wreckit sprite start demo --push', 'With the project of this directory in it'],
    ['wreckit sprite start demo --network open --json', "This machine's network; JSON for scripts"],
  ],
  async run(context) {
    using env = environmentOf(context.options, context);
    return await withSprites(context, async (tools) => {
      const spec = { ...specOf(context.options, tools), env: env.pairs, envFiles: env.files };
      if (context.globals.dryRun === true) return await planned(context, tools, spec);
      if (!env.hasPrivateFile && isAnsweredByWisp(context, tools) && (await tools.runner.countsSprites()))
        becomeWisp(context, tools, countedStart(context, tools, spec));
      return await start(context, tools, spec);
    });
  },
};

/** Nothing is left to be done here but to print what wisp prints in the same words. */
function isAnsweredByWisp({ json, globals, options }: Context, { loaded }: SpriteTools): boolean {
  const isPlain = !json && globals.quiet !== true && globals.verbose !== true && options.push === undefined;
  // How long wisp may take is for us to watch over, where somebody has said it.
  return isPlain && loaded.spriteOriginOf(['timeout']).kind === 'default';
}

function countedStart({ args }: Context, { settings }: SpriteTools, spec: SpriteStartSpec): WispCommand {
  return startCommand(args[0], { ...spec, maxSprites: settings.maxVMs });
}

async function start(context: Context, tools: SpriteTools, spec: SpriteStartSpec): Promise<VerbResult> {
  const { args, io, options, signal, warn } = context;
  const { runner, settings } = tools;
  const limit = { maxVMs: settings.maxVMs, env: io.env, wispPath: settings.wispPath };
  const { sprite, created } = await startWithinLimit(runner, limit, args[0], spec, { signal });
  for (const warning of sprite.warnings ?? []) await warn(warning);
  const text = startedText(sprite, created);
  if (options.push === undefined) return { data: { sprite, created }, text };
  const { pushData, pushDirectory, pushText } = await import('./push-directory.ts');
  const pushed = await pushDirectory(context, tools, {
    name: sprite.name,
    id: sprite.id,
    root: rootOf(context),
    dst: sprite.workdir === '' ? DEFAULT_PROJECT_DIR : sprite.workdir,
    isFresh: created && options.from === undefined,
  });
  return { data: { sprite, created, pushed: pushData(pushed) }, text: `${text}\n${pushText(pushed)}` };
}

async function planned(context: Context, tools: SpriteTools, spec: SpriteStartSpec): Promise<VerbResult> {
  const { args, options } = context;
  const { runner } = tools;
  // Another program would have to be asked whether it counts, which is to run it.
  const isCounted = runner.isBundled && (await runner.countsSprites());
  const starting = isCounted
    ? [countedStart(context, tools, spec)]
    : [listCommand(), startCommand(args[0], spec)];
  const push = options.push === undefined ? [] : [pushCommand(args[0], DEFAULT_PROJECT_DIR)];
  return plannedCommands(runner, [...starting, ...push]);
}

function rootOf({ cwd, options }: Context): string {
  return typeof options.push === 'string' ? resolve(cwd, options.push) : cwd;
}

/** Flags win over the configuration; what neither says is the engine's choice. */
function specOf(options: Options, tools: SpriteTools): SpriteStartSpec {
  const { runner, settings } = tools;
  const { memory, cpus: cpuLimit, pids, ttl, idleTimeout, from, minIsolation, label: labels } = options;
  const hasNamedLimit = memory !== undefined || cpuLimit !== undefined || pids !== undefined;
  const network = options.network ?? (options.allow === undefined ? settings.network : 'filtered');
  return {
    image: options.image ?? (from === undefined ? settings.image : undefined),
    memory: memory ?? defaultLimit(tools, 'defaultMemory'),
    cpus: cpuLimit ?? defaultLimit(tools, 'defaultCPUs'),
    pids,
    // Only the bundled wisp is known to have the flag.
    softLimits: !hasNamedLimit && runner.isBundled,
    network,
    allow: options.allow ?? allowOf(settings, network),
    labels,
    ttl,
    idleTimeout,
    from,
    minIsolation,
  };
}

/** Fly's command takes no limits: one somebody has configured it must refuse, a built-in one nobody asked for. */
function defaultLimit(
  { runner, settings, loaded }: SpriteTools,
  key: 'defaultMemory' | 'defaultCPUs',
): string | undefined {
  const isBuiltIn = loaded.spriteOriginOf([key]).kind === 'default';
  return isBuiltIn && runner.dialect === 'fly' ? undefined : settings[key];
}

function allowOf(settings: SpriteAgentConfig, network: Network | undefined): readonly string[] {
  return network === undefined || network === 'filtered' ? settings.allow : [];
}
