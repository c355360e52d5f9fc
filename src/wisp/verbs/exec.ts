import { collected, envSpec } from '../../cli/flag-values.ts';
import type { VerbResult } from '../../cli/verb.ts';
import { EXIT } from '../../contract/error-codes.ts';
import { assertSpriteName } from '../../contract/names.ts';
import { formatDuration } from '../../contract/units.ts';
import type { SessionExit, SpriteEngine } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { createEngine } from '../create-engine.ts';
import { assertExecOptions, type ExecContext, type ExecOptions, sessionSpec } from '../exec/exec-options.ts';
import { forwardSignals } from '../exec/forward-signals.ts';
import { durationMs, insideDir, outputEncoding, sizeBytes, userName } from '../flags.ts';
import type { WispVerb } from '../globals.ts';

const NOTES = `
Exit code: the command's own; 126 or 127 when it can't be run or found, 128+n when
signal n ended it, 7 when --timeout did, 125 when wisp itself failed.

Ctrl+C is passed to the command, a second one kills it; TERM and HUP end it within
3 seconds. When nobody reads its output any more it gets SIGPIPE. If this client is
killed outright the command goes on: see wisp sessions.`;

export const verb: WispVerb<ExecOptions, [name: string]> = {
  define: (command) =>
    command
      .argument('<sprite>', 'Name of the sprite', assertSpriteName)
      .option('--dir <path>', 'Working directory in the sprite; default: its home', insideDir)
      .option(
        '--env <name=value>',
        'Set a variable; NAME alone copies yours (repeatable)',
        collected(envSpec),
      )
      .option(
        '--env-file <file>',
        'Read NAME=VALUE lines from a file, unseen by ps (repeatable)',
        collected(String),
      )
      .option('--user <name>', 'User: sprite or root; default: sprite', userName)
      .option('--stdin', 'Forward stdin; otherwise stdin is empty')
      .option('--tty', 'Allocate a terminal')
      .option('--detach', 'Run in the background and print the session id')
      .option('--timeout <duration>', 'Time limit, such as 30s (exit code 7)', durationMs)
      .option('--max-output <size>', 'With --json: bytes kept of each stream; default: 1MiB', sizeBytes)
      .option('--encoding <name>', 'With --json: utf8 or base64; default: utf8', outputEncoding)
      .option('--detach-key <key>', 'With --tty: key that detaches; default: ctrl-\\')
      .addHelpText('after', NOTES),
  rest: {
    name: 'command...',
    description: 'Program and arguments, passed on unchanged',
    required: true,
  },
  examples: [
    ['wisp exec demo -- npm test', 'Run it in the home of "demo"; bytes and exit code pass through'],
    [
      'wisp exec demo --dir /home/sprite/project --timeout 5m -- make -j4',
      'In a directory, for at most 5 minutes',
    ],
    ['wisp exec demo --stdin -- tar -x < files.tar', 'Pass stdin on'],
    ['wisp exec demo --detach -- npm run dev', 'In the background: see sessions, logs, attach, kill-session'],
    ['wisp exec demo --json -- id -u', 'Output and exit code as JSON'],
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
