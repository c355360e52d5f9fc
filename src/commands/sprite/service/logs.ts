import { serviceCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertServiceName, assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { byteOffset, count, oneOf } from '../flags.ts';
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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<service>', 'name of the service', assertServiceName)
      .option('--lines <n>', 'the last lines of each stream; all that was kept when absent', count)
      .option('--from <offset>', 'first byte of the one stream wanted; negative: from its end', byteOffset)
      .option('--follow', 'go on with what comes, through restarts, until interrupted')
      .option('--stream <name>', 'stdout or stderr alone; both when absent', oneOf('stdout', 'stderr')),
  examples: [
    ['wreckit sprite service logs demo web --lines 20 --follow', 'the last lines, and what comes'],
    ['wreckit sprite service logs demo web --json', 'what was kept, as JSON'],
  ],
  async run(context) {
    const [name, service] = context.args;
    const { follow = false } = context.options;
    const command = serviceCommand('logs', name, [service], { flags: context.options });
    return await passOn(context, command, { isStream: follow });
  },
};
