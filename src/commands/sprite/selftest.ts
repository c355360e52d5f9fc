import { selftestCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { WreckitVerb } from '../globals.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

const NOTES = `
Ends with 0 when each attempt was refused, with 8 when one succeeded, with 1 when one ended in another way than
it should. What it starts is gone afterwards.`;

export const verb: WreckitVerb = {
  define: (command) => command.addHelpText('after', NOTES),
  examples: [
    ['wreckit sprite selftest', 'tries to get out of a sprite made for it, and says how each attempt ended'],
    ['wreckit sprite selftest --json', 'the same as one JSON document'],
  ],
  async run(context) {
    const { globals, json, signal } = context;
    const command = selftestCommand();
    return await withSprites(context, async (tools) => {
      const { runner } = tools;
      if (globals.dryRun === true) return plannedCommands(runner, [json ? command : { raw: command }]);
      if (json) return { data: await runner.ask(command, { signal }) };
      return { exitCode: await handOver(context, tools, command) };
    });
  },
};
