import { attachCommand } from '../../agent/wisp-client/wisp-command.ts';
import { byteOffset } from '../../cli/flag-values.ts';
import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import { normaliseAttach } from '../../contract/normalise-session.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { handOver } from './hand-over.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly from?: number;
  readonly last?: boolean;
  readonly detachKey?: string;
  readonly readOnly?: boolean;
};

export const verb: WreckitVerb<Options, [name: string, sessionId: string | undefined]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('[session]', 'Session id; without it, a new login shell', assertSessionId)
      .option('--last', 'Attach to the newest running session with a terminal')
      .option('--from <offset>', 'Replay output from this byte instead of the screen', byteOffset)
      .option('--read-only', 'Watch only: send no input')
      .option('--detach-key <key>', 'Key that detaches, or none; default: ctrl-\\'),
  examples: [
    ['wreckit sprite attach demo', 'A shell in "demo"; Ctrl+\\ detaches and leaves it running'],
    ['wreckit sprite attach demo s1', 'Back to a session'],
    ['wreckit sprite attach demo s1 --json', 'Its state and latest output, without a terminal'],
  ],
  async run(context) {
    const { args, globals, io, json, options, signal } = context;
    const [name, sessionId] = args;
    const command = attachCommand(name, sessionId, options);
    return await withSprites(context, async (tools) => {
      const { runner } = tools;
      if (globals.dryRun === true) return plannedCommands(runner, [json ? command : { raw: command }]);
      if (json) return { data: normaliseAttach(await runner.ask(command, { signal })) };
      if (!io.isStdinTty || !io.stdout.isTty) throw notATerminal(name, sessionId);
      return { exitCode: await handOver(context, tools, command, { stdin: true }) };
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
    `attach to sprite "${name}": standard input or output is not a terminal`,
    {
      hint: instead,
    },
  );
}
