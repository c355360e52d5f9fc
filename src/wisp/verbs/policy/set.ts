import { collected } from '../../../cli/flag-values.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { allowRule, denyRule, networkPolicyOf, rulesText } from './network-policy.ts';

type Options = {
  readonly allow?: string[];
  readonly deny?: string[];
};

export const verb: WispVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--allow <domain>', 'Name, *.suffix, * or "defaults" (repeatable)', collected(String))
      .option('--deny <domain>', 'Exception to what is allowed (repeatable)', collected(String)),
  examples: [
    ['wisp policy set demo --allow defaults --deny github.com', 'The preset without one name'],
    ['wisp policy set demo', 'Nothing at all'],
  ],
  async run({ args: [name], options, signal, ...context }) {
    const rules = [...(options.allow ?? []).map(allowRule), ...(options.deny ?? []).map(denyRule)];
    const policy = networkPolicyOf(await createEngine(context));
    await policy.set(name, rules, { signal });
    const inForce = await policy.get(name, { signal });
    return { data: { rules: inForce }, text: rulesText(inForce) || 'nothing is allowed' };
  },
};
