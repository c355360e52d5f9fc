import { portsCommand } from '../../agent/wisp-client/wisp-command.ts';
import { portTable } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { normalisePorts } from '../../contract/normalise-ports.ts';
import type { WreckitVerb } from '../globals.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly watch?: boolean;
};

export const verb: WreckitVerb<Options, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--watch', 'Keep watching for changes; with --json, one event per line'),
  examples: [
    ['wreckit sprite ports demo', 'TCP ports that programs in "demo" listen on; does not wake it'],
    ['wreckit sprite ports demo --watch --json', 'Current ports, then every change, as JSON lines'],
  ],
  async run(context) {
    const { args, globals, json, options, signal, warn } = context;
    const isWatching = options.watch === true;
    const command = portsCommand(args[0], isWatching);
    return await withSprites(context, async (tools) => {
      const { runner } = tools;
      if (globals.dryRun === true)
        return plannedCommands(runner, [isWatching && !json ? { raw: command } : command]);
      if (isWatching) return { exitCode: await handOver(context, tools, command, { json }) };
      const { items: ports, warnings } = normalisePorts(await runner.ask(command, { signal }));
      for (const warning of warnings) await warn(warning);
      return {
        data: { ports },
        text: (format) => portTable(ports, format) || `nothing listens in ${args[0]}`,
      };
    });
  },
};
