import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { checkpointsOf } from './checkpoints.ts';

type Options = {
  readonly comment?: string;
};

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--comment <text>', 'Comment to remember it by'),
  examples: [
    ['wisp checkpoint create demo --comment "before the upgrade"', 'Save the files as they are now'],
  ],
  async run({ args: [name], options, signal, ...context }) {
    const engine = await createEngine(context);
    const checkpoint = await checkpointsOf(engine).create(name, { comment: options.comment, signal });
    return { data: { checkpoint }, text: checkpoint.id };
  },
};
