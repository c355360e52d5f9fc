import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { calledAs } from '../../called-as.ts';
import { createEngine } from '../../create-engine.ts';
import type { WispVerb } from '../../globals.ts';
import { afterStart, serviceResult, servicesOf } from './services.ts';

export const verb: WispVerb<Record<never, never>, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName),
  examples: [['wisp service start demo web', 'What it needs starts first; a running service is left alone']],
  async run({ args: [name, service], signal, ...context }) {
    const services = servicesOf(await createEngine(context));
    await services.start(name, service, { signal });
    const now = await afterStart(services, name, service, { signal });
    return serviceResult(now, name, calledAs(context.io.env));
  },
};
