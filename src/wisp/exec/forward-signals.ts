/**
 * What becomes of a foreground command when its client is asked to end. The command gets the client's signal,
 * as with `ssh -t` and `docker exec`, and the client waits for it to end:
 *
 *   SIGINT             once, to the whole of it; a program may take its time or go on (a REPL does)
 *   SIGTERM, SIGHUP    and SIGKILL if it is still there three seconds later: the client won't be there longer
 *   a second signal    SIGKILL
 *   nobody reads our   SIGPIPE, as in a pipe of this machine, then SIGKILL if that was ignored
 *   output any more
 *
 * A client that is killed outright (SIGKILL) can't do any of this: its command goes on as a session, up to its
 * own --timeout.
 */

import { interruptOf } from '../../cli/signals.ts';
import type { SpriteEngine } from '../../engine/engine.ts';
import { onAbort } from '../../process/abort.ts';

const GRACE_MS = 3000;

export interface ForwardRequest {
  readonly engine: SpriteEngine;
  readonly name: string;
  readonly sessionId: string;
  readonly signal: AbortSignal;
  readonly onForce: (act: () => Promise<unknown>) => void;
}

export interface Forwarding extends Disposable {
  /** The reader of our output is gone. */
  brokenPipe(): void;
  /** Rejects when the command could not be signalled; never resolves. */
  readonly failed: Promise<never>;
}

export function forwardSignals({ engine, name, sessionId, signal, onForce }: ForwardRequest): Forwarding {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const send = (signalName: string, isOnly: boolean): void => {
    const how = isOnly ? { name: signalName, only: true } : { name: signalName, graceMs: GRACE_MS };
    engine.killSession(name, sessionId, how).catch(fail);
  };
  const forward = (): void => {
    const signalName = interruptOf(signal)?.signalName ?? 'SIGTERM';
    send(signalName, signalName === 'SIGINT');
  };
  onForce(() => engine.killSession(name, sessionId, { name: 'SIGKILL', graceMs: 0 }));
  const listening = onAbort([signal], forward);
  return {
    brokenPipe: () => send('SIGPIPE', false),
    failed,
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}
