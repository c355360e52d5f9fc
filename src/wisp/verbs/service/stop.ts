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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName)
      .option('--grace <duration>', 'from SIGTERM to SIGKILL, 10s when absent', graceMs),
  examples: [
    ['wisp service stop demo web', 'until it is started again, also when the sprite wakes'],
    ['wisp service stop demo web --grace 1s', 'with little patience'],
  ],
  async run({ args: [name, service], options, signal, ...context }) {
    const services = servicesOf(await createEngine(context));
    const stopped = await services.stop(name, service, { timeoutMs: options.grace, signal });
    return serviceResult(stopped, name, calledAs(context.io.env));
  },
};
