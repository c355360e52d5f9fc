/** The processes of a session, found and signalled from the host; see signalling.ts. */
import { SpriteExecError } from '../../../errors.ts';
import { run } from '../../../process/run.ts';
import { decodeUtf8 } from '../../../process/text.ts';
import { TOOL_ENV } from '../tools.ts';
import type { SessionFacts } from './session-facts.ts';
import { SIGNALLING } from './signalling.ts';

const CALL_TIMEOUT_MS = 15_000;
const ARGUMENTS = 'init=$1 leader=$2 is_tty=$3; shift 3';

/** Whose processes: the kernel session that `leader` began below the sprite's PID 1. */
export interface Members {
  readonly meta: Pick<SessionFacts['meta'], 'id' | 'init' | 'tty'>;
  readonly state: { readonly leader: number } | null;
}

/** Host pids. */
export async function findMembers(facts: Members): Promise<number[]> {
  const { text } = await call(facts, 'find_members; echo $members', []);
  return text.split(' ').filter(Boolean).map(Number);
}

/** Signals in this order, named without SIG. */
export async function signalMembers(facts: Members, signals: readonly string[]): Promise<void> {
  await call(facts, 'for each; do signal_session "$each"; done; :', signals);
}

/** False: some did not end. */
export async function killMembers(facts: Members): Promise<boolean> {
  const { exitCode } = await call(facts, 'kill_members', []);
  return exitCode === 0;
}

async function call({ meta, state }: Members, action: string, args: readonly string[]) {
  const who = [String(meta.init.pid), String(state?.leader ?? 0), meta.tty === null ? '0' : '1'];
  const result = await run(['/bin/sh', '-c', 'eval "$WISP_PROGRAM"', 'wisp-signal', ...who, ...args], {
    env: { ...TOOL_ENV, WISP_PROGRAM: `${ARGUMENTS}\n${SIGNALLING}\n${action}` },
    timeoutMs: CALL_TIMEOUT_MS,
    maxBytes: 1024 * 1024,
  });
  if (result.exitCode !== null) {
    return { exitCode: result.exitCode, text: decodeUtf8(result.stdout).trim() };
  }
  const reason = result.spawnError?.message ?? 'it took too long';
  throw new SpriteExecError(`session ${meta.id}: its processes could not be looked for: ${reason}`);
}
