import { sessionTable } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { createEngine } from '../create-engine.ts';
import type { WispVerb } from '../globals.ts';

export const verb: WispVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [['wisp sessions demo', 'Commands in "demo", running and finished']],
  async run(context) {
    const [name] = context.args;
    const sessions = await (await createEngine(context)).sessions(name, { signal: context.signal });
    return {
      data: { sessions },
      text: (format) =>
        sessionTable(sessions, format) || `no sessions; run something: wisp exec ${name} -- CMD`,
    };
  },
};
