import { startedText } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { Isolation, Network } from '../../contract/schemas.ts';
import { createEngine } from '../create-engine.ts';
import { environmentOf } from '../environment.ts';
import {
  collected,
  collectedPairs,
  cpuCount,
  domain,
  envSpec,
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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .option('--image <path>', 'root file system: a directory or a tar archive; this machine when absent')
      .option('--memory <size>', 'most memory it may use, such as 512MiB', sizeBytes)
      .option('--cpus <n>', 'most CPUs it may use, such as 1 or 0.5', cpuCount)
      .option('--pids <n>', 'most processes and threads it may have', positiveInteger)
      .option('--soft-limits', "limits are wishes: one this machine can't enforce is a warning, not an error")
      .option('--network <mode>', 'none (the default), filtered or open', network)
      .option('--allow <domain>', 'a domain it may reach (again for more)', collected(domain))
      .option(
        '--env <name=value>',
        'variable of all its commands; NAME alone: as here (again for more)',
        collected(envSpec),
      )
      .option('--env-file <file>', 'NAME=VALUE lines (again for more)', collected(String))
      .option('--label <key=value>', 'label to find it by (again for more)', collectedPairs(label))
      .option('--ttl <duration>', 'when gc may remove it, such as 2h', lifetimeMs)
      .option(
        '--idle-timeout <duration>',
        'idle for this long, wisp serve puts it to sleep; never: it stays awake',
        timeOrNever,
      )
      .option('--owner <id>', 'whose it is: the id of an agent run')
      .option('--from <sprite>', 'begin as a copy of another sprite, or of its checkpoint: NAME@CHECKPOINT')
      .option('--min-isolation <level>', 'refuse less: namespace, userkernel or vm', isolation)
      .option(
        '--max-sprites <n>',
        'make none where there are as many, whoever made them: exit code 5',
        positiveInteger,
      ),
  examples: [
    ['wisp start demo', 'a sprite with the tools of this machine, without network'],
    ['wisp start demo --memory 512MiB --cpus 1 --ttl 2h', 'one with limits, gone after two hours'],
    ['wisp start demo --image ./rootfs.tar', 'one with a root file system of its own'],
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
