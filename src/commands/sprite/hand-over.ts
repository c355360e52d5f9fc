/**
 * Lets wisp have the streams of this process, and the signals: who presses Ctrl+C means the command in the
 * sprite. wisp decides what becomes of it; this process waits for wisp, or becomes it.
 */
import type { WispCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { OutputPort } from '../../cli/io.ts';
import { interruptOf } from '../../cli/signals.ts';
import type { VerbContext } from '../../cli/verb.ts';
import { errnoOf } from '../../errors.ts';
import { childStderr, childStdin, childStdout } from './child-streams.ts';
import { EventLines } from './event-lines.ts';
import { ReadyDocument } from './ready-document.ts';
import type { SpriteTools } from './sprite-tools.ts';

export interface HandOverOptions {
  readonly stdin?: boolean | undefined;
  /** wisp prints event lines, one JSON document each. */
  readonly json?: boolean | undefined;
  /** wisp prints one document and goes on: what is shown of its data. */
  readonly show?: ((data: unknown) => string) | undefined;
  /** Something is left to be done here afterwards. */
  readonly mustReturn?: boolean | undefined;
}

type Context = Pick<VerbContext<object, readonly unknown[], object>, 'io' | 'onForce' | 'signal'>;

/** A terminal that hangs up tells wisp itself, when it is in our process group: time enough for that. */
const HANGUP_HEAD_START_MS = 300;

/** Resolves with wisp's exit code; of event lines the failure that comes in their place is thrown. */
export async function handOver(
  context: Context,
  tools: SpriteTools,
  command: WispCommand,
  { stdin = false, json = false, show, mustReturn = false }: HandOverOptions = {},
): Promise<number> {
  const { io, onForce, signal } = context;
  const { runner } = tools;
  if (!json && show === undefined && !mustReturn) becomeWisp(context, tools, command);
  signal.throwIfAborted();
  let pid: number | null = null;
  // With a terminal for stdin wisp shares our process group, and what the keyboard sends reaches it, too.
  const isReachedByTerminal = stdin && io.isStdinTty;
  const send = (name: NodeJS.Signals): void => {
    if (pid !== null) sendTo(pid, name);
  };
  const onAbort = (): void => {
    const name = interruptOf(signal)?.signalName ?? 'SIGTERM';
    if (!isReachedByTerminal || name === 'SIGTERM') send(name);
    else if (name === 'SIGHUP') setTimeout(() => send(name), HANGUP_HEAD_START_MS).unref();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const reader = readerOf(io.stdout, command, { json, show }, () => send('SIGTERM'));
  const ended = runner
    .passThrough(command, {
      stdin: stdin ? childStdin(io) : 'ignore',
      json: json || show !== undefined,
      stdout: reader?.sink ?? childStdout(io),
      stderr: childStderr(io),
      onSpawn: (spawned) => {
        pid = spawned;
        if (signal.aborted) onAbort();
      },
    })
    .finally(() => {
      pid = null;
      signal.removeEventListener('abort', onAbort);
    });
  onForce(async () => {
    send('SIGTERM');
    await ended;
  });
  const exitCode = await ended;
  await reader?.end(exitCode);
  return exitCode;
}

/** Goes on as wisp, where nothing is left to be done here; returns where that can't be. */
export function becomeWisp(
  { io, signal }: Pick<Context, 'io' | 'signal'>,
  { runner }: SpriteTools,
  command: WispCommand,
): void {
  signal.throwIfAborted();
  if (io.become === undefined) return;
  const call = runner.ownCall(command);
  if (call !== null) io.become(call.argv, call);
}

/** Null: the bytes are nobody's business. */
function readerOf(
  port: OutputPort,
  command: WispCommand,
  { json, show }: HandOverOptions,
  onClosed: () => void,
): EventLines | ReadyDocument | null {
  if (show !== undefined) return new ReadyDocument(port, command, show, onClosed);
  return json === true ? new EventLines(port, command, onClosed) : null;
}

function sendTo(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ESRCH') throw thrown;
  }
}
