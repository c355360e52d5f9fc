import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { grace } from '../flags.ts';
import { passOn } from './pass-on.ts';

type Options = {
  readonly grace?: string;
};

export const verb: WreckitVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .option('--grace <duration>', 'Time from SIGTERM to SIGKILL; default: 10s', grace),
  examples: [
    ['wreckit sprite service stop demo web', 'Stays stopped until started again, even when the sprite wakes'],
  ],
  async run(context) {
    const [name, service] = context.args;
    const flags = { grace: context.options.grace };
    return await passOn(context, serviceCommand('stop', name, [service], { flags }));
  },
};
