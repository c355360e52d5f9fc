/** Ends a session and tells the steps: `signal` → (`timeout`) → `exited` or `killed` → `complete`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KillSessionResult, SpriteEngine } from '../../engine/engine.ts';

export interface KillRequest {
  readonly engine: SpriteEngine;
  readonly name: string;
  readonly sessionId: string;
  /** `SIGTERM` */
  readonly signalName: string;
  /** 0: the one signal, and no more. */
  readonly graceMs: number;
}

export async function* killSteps(request: KillRequest): AsyncGenerator<Record<string, unknown>> {
  const { engine, name, sessionId, signalName, graceMs } = request;
  yield { type: 'signal', message: `sent ${signalName}`, signal: signalName, pid: 0 };
  const only = graceMs === 0;
  const ending = engine.killSession(name, sessionId, { name: signalName, graceMs, only });
  if (only) return yield complete(await ending);
  const inTime = await Promise.race([ending, lateAfter(graceMs)]);
  if (inTime === null) {
    yield { type: 'timeout', message: `still running after ${graceMs} ms, sending SIGKILL` };
    const result = await ending;
    yield { type: 'killed', message: 'killed' };
    return yield complete(result);
  }
  yield { type: 'exited', message: inTime.alreadyGone ? 'had ended already' : 'ended' };
  yield complete(inTime);
}

function complete({ exitCode }: KillSessionResult): Record<string, unknown> {
  return { type: 'complete', exit_code: exitCode };
}

async function lateAfter(graceMs: number): Promise<null> {
  await sleep(graceMs, undefined, { ref: false });
  return null;
}
