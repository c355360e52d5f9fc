import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import { createEngine } from '../create-engine.ts';
import { graceMs, signalName } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly signal?: string;
  readonly grace: number;
};

export const verb: WispVerb<Options, [name: string, sessionId: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .argument('<session>', 'id of the session', assertSessionId)
      .option('--signal <name>', 'what it gets first: TERM when absent', signalName)
      .option('--grace <duration>', 'how long it may take before it gets KILL (0: at once)', graceMs, 10_000),
  examples: [
    ['wisp kill-session demo s1', 'TERM to the whole of it, KILL after ten seconds'],
    ['wisp kill-session demo s1 --signal INT --grace 1m', 'as with Ctrl+C, and time to finish'],
  ],
  async run(context) {
    const { options, args, signal } = context;
    const [name, sessionId] = args;
    const how = { name: options.signal, graceMs: options.grace, signal };
    const { exitCode, alreadyGone } = await (await createEngine(context)).killSession(name, sessionId, how);
    const end = exitCode === null ? 'ended' : `ended with exit code ${exitCode}`;
    return {
      data: { exit_code: exitCode, already_gone: alreadyGone },
      text: `${sessionId} ${alreadyGone ? 'had ' : ''}${end}`,
    };
  },
};
