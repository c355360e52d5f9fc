import { attachCommand } from '../../agent/wisp-client/wisp-command.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { byteOffset } from './flags.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly from?: number;
  readonly readOnly?: boolean;
};

export const verb: WreckitVerb<Options, [name: string, sessionId: string | undefined]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('[session]', 'id of a session; a new login shell when absent', assertSessionId)
      .option('--from <offset>', 'show its output from this byte on', byteOffset)
      .option('--read-only', 'look, and type nothing'),
  examples: [
    ['wreckit sprite attach demo', 'a shell in "demo"; Ctrl+\\ leaves it running'],
    ['wreckit sprite attach demo s1', 'back to a session'],
    ['wreckit sprite attach demo s1 --json', 'its state and latest output, without a terminal'],
  ],
  async run(context) {
    const { args, globals, io, json, options, signal } = context;
    const [name, sessionId] = args;
    const command = attachCommand(name, sessionId, options);
    return await withSprites(context, async ({ runner }) => {
      if (globals.dryRun === true) return plannedCommands(runner, [json ? command : { raw: command }]);
      if (json) return { data: await runner.attach(name, sessionId, { signal }) };
      if (!io.isStdinTty || !io.stdout.isTty) throw notATerminal(name, sessionId);
      return { exitCode: await runner.passThrough(command, { stdin: true, signal }) };
    });
  },
};

function notATerminal(name: string, sessionId: string | undefined): WreckitError {
  const instead =
    sessionId === undefined
      ? `run a command: wreckit sprite exec ${name} -- COMMAND`
      : `read its output: wreckit sprite logs ${name} ${sessionId} --follow`;
  return new WreckitError(
    'NOT_A_TTY',
    `attach to sprite "${name}": standard input or output is no terminal`,
    {
      hint: instead,
    },
  );
}
