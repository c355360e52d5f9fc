import { nameCommand } from '../../agent/wisp-client/wisp-command.ts';
import { sessionTable } from '../../cli/sprite-text.ts';
import { assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

export const verb: WreckitVerb<Record<never, never>, [name: string]> = {
  define: (command) => command.argument('<sprite>', 'Name of the sprite', assertSpriteName),
  examples: [
    ['wreckit sprite sessions demo', 'Commands in "demo", running and finished'],
    ['wreckit sprite sessions demo --json', 'The same, for scripts'],
  ],
  async run(context) {
    const [name] = context.args;
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [nameCommand('sessions', name)]);
      const sessions = await runner.sessions(name, { signal: context.signal });
      return {
        data: { sessions },
        text: (format) =>
          sessions.length === 0 ? `${name} has no sessions` : sessionTable(sessions, format),
      };
    });
  },
};
