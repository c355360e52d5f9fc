import { resolve } from 'node:path';
import { startWithinLimit } from '../../agent/start-within-limit.ts';
import type { SpriteStartSpec } from '../../agent/wisp-client/wisp-client.ts';
import {
  listCommand,
  pushCommand,
  startCommand,
  type WispCommand,
} from '../../agent/wisp-client/wisp-command.ts';
import { startedText } from '../../cli/sprite-text.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { Isolation, Network } from '../../contract/schemas.ts';
import type { SpriteAgentConfig } from '../../schemas.ts';
import { DEFAULT_PROJECT_DIR } from '../../sync/wisp-port.ts';
import type { WreckitContext, WreckitVerb } from '../globals.ts';
import { environmentOf } from './environment.ts';
import {
  collected,
  collectedPairs,
  count,
  cpus,
  duration,
  durationOrNever,
  envSpec,
  oneOf,
  size,
} from './flags.ts';
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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .option('--image <path>', 'root file system: a directory or a tar archive; "host" for this machine\'s')
      .option('--memory <size>', 'most memory it may use, such as 512MiB', size)
      .option('--cpus <n>', 'most CPUs it may use, such as 1 or 0.5', cpus)
      .option('--pids <n>', 'most processes and threads it may have', count)
      .option('--network <mode>', 'none (the default), filtered or open', oneOf('none', 'filtered', 'open'))
      .option('--allow <domain>', 'a domain it may reach (again for more)', collected(String))
      .option(
        '--env <name=value>',
        'variable of all its commands; NAME alone: as here (again for more)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'NAME=VALUE lines (again for more)', collected(String))
      .option('--label <key=value>', 'label to find it by (again for more)', collectedPairs)
      .option('--ttl <duration>', 'when gc may remove it, such as 2h', duration)
      .option(
        '--idle-timeout <duration>',
        'idle for this long, wisp serve puts it to sleep; never: it stays awake',
        durationOrNever,
      )
      .option('--from <sprite>', 'begin as a copy of another sprite, or of its checkpoint: NAME@CHECKPOINT')
      .option(
        '--min-isolation <level>',
        'refuse less: namespace, userkernel or vm',
        oneOf('namespace', 'userkernel', 'vm'),
      )
      .option('--push [dir]', 'then push the project of this directory: the present one when absent'),
  examples: [
    ['wreckit sprite start demo', 'a sprite with the tools of this machine, without network'],
    ['wreckit sprite start demo --memory 2GiB --cpus 2 --ttl 2h', 'one with more room, gone after two hours'],
    ['wreckit sprite start demo --push', 'and the project of this directory into it'],
    ['wreckit sprite start demo --network open --json', 'one with the network of this machine, for a script'],
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
