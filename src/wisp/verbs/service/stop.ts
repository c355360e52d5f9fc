import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import { calledAs } from '../../called-as.ts';
import { createEngine } from '../../create-engine.ts';
import { graceMs } from '../../flags.ts';
import type { WispVerb } from '../../globals.ts';
import { serviceResult, servicesOf } from './services.ts';

type Options = {
  readonly grace?: number;
};

export const verb: WispVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .option('--grace <duration>', 'Time from SIGTERM to SIGKILL; default: 10s', graceMs),
  examples: [
    ['wisp service stop demo web', 'Stays stopped until started again, even when the sprite wakes'],
    ['wisp service stop demo web --grace 1s', 'With a short grace period'],
  ],
  async run({ args: [name, service], options, signal, ...context }) {
    const services = servicesOf(await createEngine(context));
    const stopped = await services.stop(name, service, { timeoutMs: options.grace, signal });
    return serviceResult(stopped, name, calledAs(context.io.env));
  },
};
