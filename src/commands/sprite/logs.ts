import { logsCommand } from '../../agent/wisp-client/wisp-command.ts';
import { byteOffset } from '../../cli/flag-values.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { oneOf, size } from './flags.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly from?: number;
  readonly follow?: boolean;
  readonly stream?: 'stdout' | 'stderr';
  readonly maxOutput?: string;
};

export const verb: WreckitVerb<Options, [name: string, sessionId: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<session>', 'Session id', assertSessionId)
      .option('--from <offset>', 'Start at this byte of one stream; negative: from its end', byteOffset)
      .option('--follow', 'Follow until the session ends; with --json, one event per line')
      .option('--stream <name>', 'Only stdout or stderr; default: both', oneOf('stdout', 'stderr'))
      .option('--max-output <size>', 'With --json: bytes kept of each stream; default: 1MiB', size),
  examples: [
    ['wreckit sprite logs demo s1', 'Everything printed so far'],
    ['wreckit sprite logs demo s1 --follow', 'Everything, then new output as it comes'],
    ['wreckit sprite logs demo s1 --from 4096 --json', 'Part of it, as JSON'],
  ],
  async run(context) {
    const { args, globals, json, options, signal } = context;
    const command = logsCommand(args[0], args[1], options);
    return await withSprites(context, async (tools) => {
      const { runner } = tools;
      if (globals.dryRun === true) return plannedCommands(runner, [json ? command : { raw: command }]);
      if (json && options.follow !== true) return { data: await runner.ask(command, { signal }) };
      return { exitCode: await handOver(context, tools, command, { json }) };
    });
  },
};
