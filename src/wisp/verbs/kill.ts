import { collected } from '../../cli/flag-values.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { SpriteEngine, Waiting } from '../../engine/engine.ts';
import { SpriteKillError, toWreckitError, WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { collectedPairs, label } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly label?: Record<string, string>;
};

/** Removing is waiting for the kernel and the disk: a few at a time. */
const AT_ONCE = 4;

/**
 * Names are checked before anything is touched. A name there is no sprite of does not keep the others alive:
 * they are killed, then it is reported (SPRITE_NOT_FOUND), with the list of what is gone in the details.
 */
export const verb: WispVerb<Options, [names: string[] | undefined]> = {
  define: (command) =>
    command
      .argument('[sprite...]', 'Names of the sprites', collected(assertSpriteName))
      .option('--label <key=value>', 'All sprites with this label (repeatable)', collectedPairs(label)),
  examples: [
    ['wisp kill demo', 'Remove "demo", its processes and its files'],
    ['wisp kill --label run=17 --json', 'Remove all sprites of one run'],
  ],
  async run(context) {
    const { options, args, signal } = context;
    const named = [...new Set(args[0] ?? [])];
    if (named.length > 0 === (options.label !== undefined)) {
      throw new WreckitError('USAGE', 'kill: either names or labels are wanted, not both, not neither', {
        hint: 'kill by name (wisp kill NAME), or by label (wisp kill --label KEY=VALUE)',
      });
    }
    const engine = await createEngine(context);
    const names =
      options.label === undefined
        ? named
        : (await engine.list({ labels: options.label }, { signal })).map(({ name }) => name);
    const killed = await killAll(engine, names, { signal });
    return { data: { killed }, text: killed.length === 0 ? 'no sprite has this label' : killed.join('\n') };
  },
};

async function killAll(engine: SpriteEngine, names: readonly string[], waiting: Waiting): Promise<string[]> {
  const killed: string[] = [];
  const failures: WreckitError[] = [];
  const left = [...names];
  const worker = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      try {
        waiting.signal?.throwIfAborted();
        await engine.kill(name, waiting);
        killed.push(name);
      } catch (thrown) {
        if (waiting.signal?.aborted) throw thrown;
        failures.push(toWreckitError(thrown));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const inOrder = names.filter((name) => killed.includes(name));
  if (failures.length > 0) throw combined(failures, names, inOrder);
  return inOrder;
}

/** One failure speaks for all: what could not be killed is worse than what was not there. */
function combined(
  failures: readonly WreckitError[],
  names: readonly string[],
  killed: readonly string[],
): WreckitError {
  const worst = failures.find(({ code }) => code !== 'SPRITE_NOT_FOUND') ?? failures[0];
  const details = {
    ...worst?.details,
    killed,
    not_killed: names.filter((name) => !killed.includes(name)),
    errors: failures.map(({ code, message }) => ({ code, message })),
  };
  const message = failures.map((failure) => failure.message).join('; ');
  const { hint, retryable = false } = worst ?? {};
  if (worst?.code === 'SPRITE_NOT_FOUND') return new WreckitError(worst.code, message, { hint, details });
  if (worst !== undefined && names.length === 1) return worst;
  return new SpriteKillError(message, { hint, details, retryable, cause: worst });
}
