import { killSessionCommand } from '../../agent/wisp-client/wisp-command.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import type { WreckitVerb } from '../globals.ts';
import { grace } from './flags.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly signal?: string;
  readonly grace?: string;
};

export const verb: WreckitVerb<Options, [name: string, sessionId: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<session>', 'id of the session', assertSessionId)
      .option('--signal <name>', 'what it gets first: TERM when absent')
      .option('--grace <duration>', 'how long it may take before it gets KILL: 10s when absent', grace),
  examples: [
    ['wreckit sprite kill-session demo s1', 'TERM to the whole of it, KILL after ten seconds'],
    ['wreckit sprite kill-session demo s1 --signal INT --grace 1m', 'as with Ctrl+C, and time to finish'],
  ],
  async run(context) {
    const [name, sessionId] = context.args;
    const how = { signalName: context.options.signal, grace: context.options.grace };
    return await withSprites(context, async ({ runner }) => {
      if (context.globals.dryRun === true)
        return plannedCommands(runner, [killSessionCommand(name, sessionId, how)]);
      const { exitCode, alreadyGone } = await runner.killSession(name, sessionId, {
        ...how,
        signal: context.signal,
      });
      const end = exitCode === null ? 'ended' : `ended with exit code ${exitCode}`;
      return {
        data: { exit_code: exitCode, already_gone: alreadyGone },
        text: `${sessionId} ${alreadyGone ? 'had already ' : ''}${end}`,
      };
    });
  },
};
