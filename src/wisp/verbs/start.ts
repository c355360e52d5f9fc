import { collected, envSpec } from '../../cli/flag-values.ts';
import { startedText } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { Isolation, Network } from '../../contract/schemas.ts';
import { createEngine } from '../create-engine.ts';
import { environmentOf } from '../environment.ts';
import {
  collectedPairs,
  cpuCount,
  domain,
  isolation,
  label,
  lifetimeMs,
  network,
  positiveInteger,
  refuseTogether,
  sizeBytes,
  timeOrNever,
} from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly image?: string;
  readonly memory?: number;
  readonly cpus?: number;
  readonly pids?: number;
  readonly softLimits?: boolean;
  readonly network?: Network;
  readonly allow?: string[];
  readonly env?: string[];
  readonly envFile?: string[];
  readonly label?: Record<string, string>;
  readonly ttl?: number;
  /** 0: never. */
  readonly idleTimeout?: number;
  readonly owner?: string;
  readonly from?: string;
  readonly minIsolation?: Isolation;
  readonly maxSprites?: number;
};

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--image <path>', "Root file system: a directory or a tar archive; default: this machine's")
      .option('--memory <size>', 'Memory limit, such as 512MiB', sizeBytes)
      .option('--cpus <n>', 'CPU limit, such as 1 or 0.5', cpuCount)
      .option('--pids <n>', 'Limit of processes and threads', positiveInteger)
      .option('--soft-limits', "Warn instead of failing when a limit can't be enforced")
      .option('--network <mode>', 'Network: none, filtered or open; default: none', network)
      .option('--allow <domain>', 'Domain it may reach when filtered (repeatable)', collected(domain))
      .option(
        '--env <name=value>',
        'Set a variable for all commands; NAME alone copies yours (repeatable)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'Read NAME=VALUE lines from a file (repeatable)', collected(String))
      .option('--label <key=value>', 'Label to find it by (repeatable)', collectedPairs(label))
      .option('--ttl <duration>', 'Lifetime, such as 2h; then gc may remove it', lifetimeMs)
      .option(
        '--idle-timeout <duration>',
        'Idle time before wisp serve puts it to sleep, or never',
        timeOrNever,
      )
      .option('--owner <id>', 'Owner: the id of an agent run')
      .option('--from <sprite>', 'Start as a copy of a sprite, or of its checkpoint: NAME@CHECKPOINT')
      .option('--min-isolation <level>', 'Fail below this isolation: namespace, userkernel or vm', isolation)
      .option(
        '--max-sprites <n>',
        'Fail (exit code 5) when this many sprites exist already',
        positiveInteger,
      ),
  examples: [
    ['wisp start demo', "This machine's tools, no network"],
    ['wisp start demo --memory 512MiB --cpus 1 --ttl 2h', 'With limits, removable after two hours'],
    ['wisp start demo --image ./rootfs.tar', 'A root file system of its own'],
  ],
  async run(context) {
    const { options, args, signal, warn } = context;
    const fromFlags = { '--from': options.from !== undefined, '--image': options.image !== undefined };
    refuseTogether('start', fromFlags, 'a copy has the image of what it copies');
    const allows = { '--allow': options.allow !== undefined, '--network none': options.network === 'none' };
    refuseTogether('start', allows, 'without a network there is nothing to allow');
    const opens = { '--allow': options.allow !== undefined, '--network open': options.network === 'open' };
    refuseTogether('start', opens, 'an open network reaches every domain');
    const env = environmentOf(options, context);
    const engine = await createEngine(context);
    const { sprite, created } = await engine.start(
      {
        name: args[0],
        image: options.image,
        memoryBytes: options.memory,
        cpus: options.cpus,
        pids: options.pids,
        softLimits: options.softLimits,
        network: options.network,
        allow: options.allow,
        env: Object.keys(env).length === 0 ? undefined : env,
        labels: options.label,
        ttlMs: options.ttl,
        idleTimeoutMs: options.idleTimeout,
        owner: options.owner,
        from: options.from,
        minIsolation: options.minIsolation,
        maxSprites: options.maxSprites,
      },
      { signal },
    );
    for (const warning of sprite.warnings ?? []) await warn(warning);
    return { data: { sprite, created }, text: startedText(sprite, created) };
  },
};
