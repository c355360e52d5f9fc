import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { passOn } from './pass-on.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName),
  examples: [['wreckit sprite service rm demo web', 'stops it and forgets it, with its logs']],
  async run(context) {
    const [name, service] = context.args;
    return await passOn(context, serviceCommand('rm', name, [service]));
  },
};
