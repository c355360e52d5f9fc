import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { checkpointsOf, checkpointTable } from './checkpoints.ts';

export const verb: WispVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [['wisp checkpoint list demo', 'Checkpoints, oldest first']],
  async run({ args: [name], signal, ...context }) {
    const checkpoints = await checkpointsOf(await createEngine(context)).list(name, { signal });
    return {
      data: { checkpoints },
      text: (format) =>
        checkpoints.length === 0
          ? `no checkpoints; make one: wisp checkpoint create ${name}`
          : checkpointTable(checkpoints, format),
    };
  },
};
