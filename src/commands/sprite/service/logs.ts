import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { byteOffset } from '../../../cli/flag-values.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { count, oneOf } from '../flags.ts';
import { passOn } from './pass-on.ts';

type Options = {
  readonly lines?: string;
  readonly from?: number;
  readonly follow?: boolean;
  readonly stream?: 'stdout' | 'stderr';
};

export const verb: WreckitVerb<Options, [name: string, service: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<service>', 'Name of the service', assertServiceName)
      .option('--lines <n>', 'Last lines of each stream; default: all that is kept', count)
      .option('--from <offset>', 'Start at this byte of one stream; negative: from its end', byteOffset)
      .option('--follow', 'Follow, across restarts, until interrupted')
      .option('--stream <name>', 'Only stdout or stderr; default: both', oneOf('stdout', 'stderr')),
  examples: [
    [
      'wreckit sprite service logs demo web --lines 20 --follow',
      'The last lines, then new output as it comes',
    ],
    ['wreckit sprite service logs demo web --json', 'Everything kept, as JSON'],
  ],
  async run(context) {
    const [name, service] = context.args;
    const { follow = false } = context.options;
    const command = serviceCommand('logs', name, [service], { flags: context.options });
    return await passOn(context, command, { isStream: follow });
  },
};
