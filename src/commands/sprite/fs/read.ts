import { fsCommand } from '../../../agent/wisp-client/wisp-command.ts';
import { assertSpriteName } from '../../../contract/names.ts';
import type { WreckitVerb } from '../../globals.ts';
import { handOver } from '../hand-over.ts';
import { plannedCommands, withSprites } from '../sprite-tools.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string, path: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<path>', 'Path in the sprite, relative to its home'),
  examples: [
    ['wreckit sprite fs read demo /etc/hostname', 'The exact bytes'],
    ['wreckit sprite fs read demo project/out.bin > out.bin', 'A file of any size'],
  ],
  async run(context) {
    const { args, globals, json, signal } = context;
    const command = fsCommand('read', args[0], [args[1]]);
    return await withSprites(context, async (tools) => {
      if (globals.dryRun === true) return plannedCommands(tools.runner, [json ? command : { raw: command }]);
      if (json) return { data: await tools.runner.ask(command, { signal, maxBytes: MAX_JSON_BYTES }) };
      return { exitCode: await handOver(context, tools, command) };
    });
  },
};

/** wisp answers with at most 8 MiB of a file, which JSON makes longer. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
