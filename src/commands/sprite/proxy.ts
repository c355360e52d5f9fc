import { proxyCommand } from '../../agent/wisp-client/wisp-command.ts';
import { collected } from '../../cli/flag-values.ts';
import { tunnelText } from '../../cli/sprite-text.ts';
import { successDocument } from '../../contract/envelope.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { normaliseTunnels } from '../../contract/normalise-ports.ts';
import type { WreckitVerb } from '../globals.ts';
import { portPair } from './flags.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

const NOTES = `
Only programs on this machine can connect (127.0.0.1). A connection wakes the sprite and keeps it awake while
open; a proxy waiting for one does not. Stop it with Ctrl+C.`;

export const verb: WreckitVerb<Record<never, never>, [name: string, pairs: string[]]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<ports...>', 'REMOTE or LOCAL:REMOTE; LOCAL 0 picks a free port', collected(portPair))
      .addHelpText('after', NOTES),
  examples: [
    ['wreckit sprite proxy demo 8080', 'Forward http://127.0.0.1:8080 to port 8080 of "demo"'],
    ['wreckit sprite proxy demo 3000:80 0:5432', 'Forward local port 3000 to 80, and any free port to 5432'],
    ['wreckit sprite proxy demo 0:8080 --json', 'Print the chosen port as JSON, then keep running'],
  ],
  async run(context) {
    const { args, globals, json, verb: words } = context;
    const [sprite, pairs] = args;
    const command = proxyCommand(sprite, pairs);
    return await withSprites(context, async (tools) => {
      if (globals.dryRun === true) return plannedCommands(tools.runner, [command]);
      const show = (data: unknown): string => {
        const tunnels = normaliseTunnels(data);
        return json
          ? `${JSON.stringify(successDocument(words, { sprite, tunnels }))}\n`
          : tunnelText(sprite, tunnels);
      };
      return { exitCode: await handOver(context, tools, command, { show }) };
    });
  },
};
