import { proxyCommand } from '../../agent/wisp-client/wisp-command.ts';
import { tunnelText } from '../../cli/sprite-text.ts';
import { successDocument } from '../../contract/envelope.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { normaliseTunnels } from '../../contract/normalise-ports.ts';
import type { WreckitVerb } from '../globals.ts';
import { collected, portPair } from './flags.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

const NOTES = `
Only programs of this machine can connect (127.0.0.1). A connection wakes the sprite, and keeps it awake while it
is open; waiting for one does not. Ends with Ctrl+C.`;

export const verb: WreckitVerb<Record<never, never>, [name: string, pairs: string[]]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<ports...>', 'REMOTE, or LOCAL:REMOTE; LOCAL 0: any that is free', collected(portPair))
      .addHelpText('after', NOTES),
  examples: [
    ['wreckit sprite proxy demo 8080', 'http://127.0.0.1:8080 leads to port 8080 in "demo"'],
    ['wreckit sprite proxy demo 3000:80 0:5432', 'port 3000 here to 80 there, and any free port to 5432'],
    ['wreckit sprite proxy demo 0:8080 --json', 'says which port it took in one document, then goes on'],
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
