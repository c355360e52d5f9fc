import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { servicesOf } from './services.ts';

export const verb: WispVerb<Record<never, never>, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName),
  examples: [['wisp service rm demo web', 'stops it and forgets it, with its logs']],
  async run({ args: [name, service], signal, ...context }) {
    await servicesOf(await createEngine(context)).remove(name, service, { signal });
    return { data: { removed: service }, text: `removed ${service}` };
  },
};
