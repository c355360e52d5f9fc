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
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<session>', 'Session id', assertSessionId)
      .option('--signal <name>', 'First signal; default: TERM')
      .option('--grace <duration>', 'Time before KILL; default: 10s', grace),
  examples: [
    ['wreckit sprite kill-session demo s1', 'TERM to the whole process group, KILL after ten seconds'],
    ['wreckit sprite kill-session demo s1 --signal INT --grace 1m', 'Like Ctrl+C, with a minute to finish'],
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
