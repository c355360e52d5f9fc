import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { passOn } from './pass-on.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName),
  examples: [['wreckit sprite service rm demo web', 'Stop and remove it, logs included']],
  async run(context) {
    const [name, service] = context.args;
    return await passOn(context, serviceCommand('rm', name, [service]));
  },
};
