import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { checkpointsOf } from './checkpoints.ts';

export const verb: WispVerb<Record<never, never>, [name: string, checkpointId: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<checkpoint>', 'Checkpoint id'),
  examples: [
    ['wisp checkpoint restore demo v1', 'End its sessions, checkpoint the current files, restore v1'],
  ],
  async run({ args: [name, checkpointId], signal, ...context }) {
    const { restored, backup } = await checkpointsOf(await createEngine(context)).restore(
      name,
      checkpointId,
      { signal },
    );
    return {
      data: { checkpoint: restored, backup },
      text: `${name} is at ${restored.id}; what it was before is ${backup.id}`,
    };
  },
};
