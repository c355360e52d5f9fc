import { logsCommand } from '../../agent/wisp-client/wisp-command.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { byteOffset, oneOf, size } from './flags.ts';
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
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<session>', 'id of the session', assertSessionId)
      .option('--from <offset>', 'first byte of the one stream wanted; negative: from its end', byteOffset)
      .option('--follow', 'go on until the session has ended; with --json one event per line')
      .option('--stream <name>', 'stdout or stderr alone; both when absent', oneOf('stdout', 'stderr'))
      .option('--max-output <size>', 'with --json: most bytes kept of each stream, 1MiB when absent', size),
  examples: [
    ['wreckit sprite logs demo s1', 'all it has printed so far'],
    ['wreckit sprite logs demo s1 --follow', 'and what it prints from now on'],
    ['wreckit sprite logs demo s1 --from 4096 --json', 'a part of it, as JSON'],
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
