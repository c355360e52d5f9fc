import { assertSessionId, assertSpriteName } from '../../contract/names.ts';
import { createEngine } from '../create-engine.ts';
import { graceMs, signalName } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly signal?: string;
  readonly grace?: number;
};

const GRACE_MS = 10_000;

export const verb: WispVerb<Options, [name: string, sessionId: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .argument('<session>', 'Session id', assertSessionId)
      .option('--signal <name>', 'First signal; default: TERM', signalName)
      .option('--grace <duration>', 'Time before KILL, 0 for at once; default: 10s', graceMs),
  examples: [
    ['wisp kill-session demo s1', 'TERM to the whole process group, KILL after ten seconds'],
    ['wisp kill-session demo s1 --signal INT --grace 1m', 'Like Ctrl+C, with a minute to finish'],
  ],
  async run(context) {
    const { options, args, signal } = context;
    const [name, sessionId] = args;
    const how = { name: options.signal, graceMs: options.grace ?? GRACE_MS, signal };
    const { exitCode, alreadyGone } = await (await createEngine(context)).killSession(name, sessionId, how);
    const end = exitCode === null ? 'ended' : `ended with exit code ${exitCode}`;
    return {
      data: { exit_code: exitCode, already_gone: alreadyGone },
      text: `${sessionId} ${alreadyGone ? 'had ' : ''}${end}`,
    };
  },
};
