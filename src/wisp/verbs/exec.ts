import type { VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { formatDuration } from '../../contract/units.ts';
import type { SessionExit, SpriteEngine } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { assertExecOptions, type ExecContext, type ExecOptions, sessionSpec } from '../exec/exec-options.ts';
import { forwardSignals } from '../exec/forward-signals.ts';
import { collected, durationMs, envSpec, insideDir, outputEncoding, sizeBytes, userName } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

const NOTES = `
Exit code: the command's own; 126 and 127 when it can't be run or found, 128+n when
signal n ended it, 7 when --timeout did, 125 when wisp itself failed.

Ctrl+C goes to the command, a second one kills it; TERM and HUP end it after 3 seconds
at most. When nobody reads its output any more it gets PIPE. A client that is killed
outright leaves it running: see wisp sessions.`;

export const verb: WispVerb<ExecOptions, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'name of the sprite', assertSpriteName)
      .option('--dir <path>', 'working directory inside: its home when absent', insideDir)
      .option('--env <name=value>', 'variable; NAME alone: as here (again for more)', collected(envSpec))
      .option(
        '--env-file <file>',
        'NAME=VALUE lines, for what must not show in ps (again for more)',
        collected(String),
      )
      .option('--user <name>', 'sprite (the default), or root of the sprite', userName)
      .option('--stdin', 'forward stdin; without it stdin is empty')
      .option('--tty', 'give it a terminal')
      .option('--detach', 'return as soon as it runs and print its session id')
      .option('--timeout <duration>', 'end it after this long, such as 30s: exit code 7', durationMs)
      .option(
        '--max-output <size>',
        'with --json: most bytes kept of each stream, 1MiB when absent',
        sizeBytes,
      )
      .option('--encoding <name>', 'with --json: utf8 (the default) or base64', outputEncoding)
      .option('--detach-key <key>', 'with --tty: key that leaves it running, ctrl-\\ when absent')
      .addHelpText('after', NOTES),
  rest: {
    name: 'command...',
    description: 'program and its arguments, passed on as they are',
    required: true,
  },
  examples: [
    ['wisp exec demo -- npm test', 'runs it in the home of "demo"; exit code and bytes are its own'],
    [
      'wisp exec demo --dir /home/sprite/project --timeout 5m -- make -j4',
      'in a directory, for at most 5 minutes',
    ],
    ['wisp exec demo --stdin -- tar -x < files.tar', 'with stdin and its end'],
    ['wisp exec demo --detach -- npm run dev', 'in the background: see sessions, logs, attach, kill-session'],
    ['wisp exec demo --json -- id -u', 'one JSON document with exit code and output'],
  ],
  run: execute,
  // The command may end with any code, so that failures of ours need one of their own.
  exitCodeOf: () => EXIT.execEngine,
};

async function execute(context: ExecContext): Promise<VerbResult> {
  assertExecOptions(context);
  const { options, signal, args } = context;
  const { detach = false, tty = false } = options;
  if (tty && !detach) {
    const { execInTerminal } = await import('../terminal/exec-in-terminal.ts');
    return await execInTerminal(context);
  }
  const startedAt = performance.now();
  const spec = sessionSpec(context, tty ? { cols: 80, rows: 24 } : undefined);
  const engine = await createEngine(context);
  await using handle = await engine.openSession(args[0], spec, { signal });
  if (detach) return detached(handle.id, Math.round(performance.now() - startedAt));
  return await inForeground(context, engine, handle, startedAt);
}

async function inForeground(
  context: ExecContext,
  engine: SpriteEngine,
  handle: Awaited<ReturnType<SpriteEngine['openSession']>>,
  startedAt: number,
): Promise<VerbResult> {
  const { io, options, args, json, signal, onForce } = context;
  const { stdin = false, maxOutput, encoding } = options;
  using forwarding = forwardSignals({ engine, name: args[0], sessionId: handle.id, signal, onForce });
  if (json) {
    const { captureSession } = await import('../exec/capture-session.ts');
    const request = { io, handle, forwarding, stdin, maxBytes: maxOutput, encoding, startedAt };
    const data = await captureSession(request);
    return { data, exitCode: data.timed_out ? EXIT.timeout : (data.exit_code ?? EXIT.execEngine) };
  }
  const { streamSession } = await import('../exec/stream-session.ts');
  const exit = await streamSession({ io, handle, forwarding, stdin });
  if (exit.timedOut) await sayTimedOut(context);
  return { exitCode: exitCodeOf(exit) };
}

function exitCodeOf({ exitCode, timedOut }: SessionExit): number {
  return timedOut ? EXIT.timeout : (exitCode ?? EXIT.execEngine);
}

async function sayTimedOut({ io, options }: ExecContext): Promise<void> {
  const limit = formatDuration(options.timeout ?? 0);
  const { message, hint } = new WreckitError('TIMEOUT', `exec: the command had not ended after ${limit}`);
  await io.stderr.write(`error: ${message}\nhint: ${hint}\n`);
}

function detached(sessionId: string, durationMs: number): VerbResult {
  const data = {
    session_id: sessionId,
    exit_code: null,
    signal: null,
    stdout: '',
    stderr: '',
    stdout_truncated_bytes: 0,
    stderr_truncated_bytes: 0,
    timed_out: false,
    duration_ms: durationMs,
  };
  return { data, text: sessionId };
}
