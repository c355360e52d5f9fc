import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { networkPolicyOf, rulesText } from './network-policy.ts';

export const verb: WispVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [['wisp policy get demo', 'What it may reach']],
  async run({ args: [name], signal, ...context }) {
    const rules = await networkPolicyOf(await createEngine(context)).get(name, { signal });
    return { data: { rules }, text: rulesText(rules) || 'nothing is allowed' };
  },
};
