import { selftestCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { WreckitVerb } from '../globals.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

const NOTES = `
Exit code: 0 when every attempt was refused, 8 when one succeeded, 1 when the outcome of one is unclear.
Everything it starts is removed afterwards.`;

export const verb: WreckitVerb = {
  define: (command) => command.addHelpText('after', NOTES),
  examples: [
    ['wreckit sprite selftest', 'Try to break out of a throwaway sprite and report each attempt'],
    ['wreckit sprite selftest --json', 'The same, for scripts'],
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
