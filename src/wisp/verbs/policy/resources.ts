import { assertSpriteName } from '../../../contract/names.ts';
import { formatBytes } from '../../../contract/units.ts';
import type { ResourcesPolicy } from '../../../engine/engine.ts';
import { WreckitError } from '../../../errors.ts';
import { createEngine } from '../../create-engine.ts';
import { cpuCount, positiveInteger, sizeBytes } from '../../flags.ts';
import type { WispVerb } from '../../globals.ts';

type Options = {
  readonly memory?: number;
  readonly cpus?: number;
  readonly pids?: number;
  readonly reset?: boolean;
};

const MIB = 1024 ** 2;

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--memory <size>', 'Memory limit, such as 512MiB', sizeBytes)
      .option('--cpus <n>', 'CPU limit, such as 1 or 0.5', cpuCount)
      .option('--pids <n>', 'Limit of processes and threads', positiveInteger)
      .option('--reset', 'Go back to the default limits'),
  examples: [
    ['wisp policy resources demo', 'The current limits'],
    ['wisp policy resources demo --memory 2GiB --cpus 2', 'In force at once, for running processes too'],
  ],
  async run({ args: [name], options, signal, ...context }) {
    const part = (await createEngine(context)).policy?.resources;
    if (part === undefined)
      throw new WreckitError('UNSUPPORTED', 'policy: this engine has no limits to change');
    const { memory, cpus, pids, reset = false } = options;
    const isChange = memory !== undefined || cpus !== undefined || pids !== undefined;
    if (reset && isChange) {
      throw new WreckitError(
        'USAGE',
        'policy resources: --reset sets all limits, other flags are left out with it',
      );
    }
    if (reset) await part.reset(name, { signal });
    if (isChange) {
      const now = await part.get(name, { signal });
      const limitMb = memory === undefined ? now.memory.limitMb : memory / MIB;
      await part.set(name, { memory: { limitMb, autoscale: false }, cpus, pids }, { signal });
    }
    const inForce = await part.get(name, { signal });
    return { data: { resources: resourcesOf(inForce) }, text: textOf(inForce) };
  },
};

function resourcesOf({ memory, cpus = null, pids = null }: ResourcesPolicy) {
  return { memory_bytes: memory.limitMb === null ? null : Math.round(memory.limitMb * MIB), cpus, pids };
}

function textOf({ memory, cpus, pids }: ResourcesPolicy): string {
  const memoryBytes = memory.limitMb === null ? null : Math.round(memory.limitMb * MIB);
  return [
    `memory     ${shown(memoryBytes, formatBytes)}`,
    `cpus       ${shown(cpus, String)}`,
    `processes  ${shown(pids, String)}`,
  ].join('\n');
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  if (value === undefined) return 'the server does not say';
  return value === null ? 'not limited' : `at most ${format(value)}`;
}
