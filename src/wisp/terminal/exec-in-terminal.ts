/** `exec --tty`: a command of its own on the user's terminal, left running by the detach key. */
import type { VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { createEngine } from '../create-engine.ts';
import { type ExecContext, sessionSpec } from '../exec/exec-options.ts';
import { DEFAULT_DETACH_KEY, parseDetachKey } from './detach-key.ts';
import { assertTerminal, LocalTerminal } from './local-terminal.ts';
import { takeAndRun } from './take-and-run.ts';
import { tellEnd } from './tell-end.ts';
import { terminalEnv } from './terminal-env.ts';

export async function execInTerminal(context: ExecContext): Promise<VerbResult> {
  const { io, options, args, signal } = context;
  const detachKey = parseDetachKey(options.detachKey ?? DEFAULT_DETACH_KEY);
  assertTerminal(io, 'exec --tty', args[0]);
  const terminal = new LocalTerminal(io);
  const spec = sessionSpec(context, terminal.size());
  const engine = await createEngine(context);
  const env = { ...terminalEnv(io.env), ...spec.env };
  await using handle = await engine.openSession(args[0], { ...spec, env, stdin: true }, { signal });
  const end = await takeAndRun(terminal, { handle, detachKey, readOnly: false, from: 0, signal });
  await tellEnd(io, { end, name: args[0], sessionId: handle.id });
  if (end.kind !== 'exit') return {};
  return { exitCode: end.exit.timedOut ? EXIT.timeout : (end.exit.exitCode ?? EXIT.execEngine) };
}
