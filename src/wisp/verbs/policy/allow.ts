import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { allowRule, networkPolicyOf, rulesText } from './network-policy.ts';

export const verb: WispVerb<Record<never, never>, [name: string, domain: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<domain>', 'Name, *.suffix, * or "defaults"'),
  examples: [['wisp policy allow demo "*.example.com"', 'Add to what it may reach']],
  async run({ args: [name, domain], signal, ...context }) {
    const policy = networkPolicyOf(await createEngine(context));
    await policy.set(name, [...(await policy.get(name, { signal })), allowRule(domain)], { signal });
    const rules = await policy.get(name, { signal });
    return { data: { rules }, text: rulesText(rules) };
  },
};
