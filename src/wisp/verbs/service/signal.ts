import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { servicesOf } from './services.ts';

export const verb: WispVerb<Record<never, never>, [name: string, service: string, signalName: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .argument('<signal>', 'Signal, such as HUP or SIGUSR1'),
  examples: [
    ['wisp service signal demo web HUP', 'To its process group; many programs reload their settings on HUP'],
  ],
  async run({ args: [name, service, signalName], signal, ...context }) {
    await servicesOf(await createEngine(context)).signal(name, service, signalName, { signal });
    return { data: { signalled: service, signal: signalName }, text: `sent ${signalName} to ${service}` };
  },
};
