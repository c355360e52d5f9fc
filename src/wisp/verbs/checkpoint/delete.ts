import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { checkpointsOf } from './checkpoints.ts';

export const verb: WispVerb<Record<never, never>, [name: string, checkpointId: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<checkpoint>', 'Checkpoint id'),
  examples: [['wisp checkpoint delete demo v1', 'Free its disk space']],
  async run({ args: [name, checkpointId], signal, ...context }) {
    const checkpoints = checkpointsOf(await createEngine(context));
    const checkpoint = await checkpoints.get(name, checkpointId, { signal });
    await checkpoints.remove(name, checkpointId, { signal });
    return { data: { checkpoint }, text: `deleted ${checkpoint.id}` };
  },
};
