import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { servicesOf } from './services.ts';

export const verb: WispVerb<Record<never, never>, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName),
  examples: [['wisp service rm demo web', 'Stop and remove it, logs included']],
  async run({ args: [name, service], signal, ...context }) {
    await servicesOf(await createEngine(context)).remove(name, service, { signal });
    return { data: { removed: service }, text: `removed ${service}` };
  },
};
