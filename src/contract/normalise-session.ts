/** Sessions and results of commands in the answers of a wisp program (see normalise.ts). */
import { integerOr, isObject, numberOr, textOr, textsOf } from './json-value.ts';
import { collect, listIn, type Normalised } from './normalise-list.ts';
import { protocolError } from './parse.ts';
import type { AttachData, ExecData, Session } from './schemas.ts';

export function normaliseSessions(data: unknown, verb: string): Normalised<Session> {
  const raw = listIn(data, 'sessions');
  if (raw === undefined) throw protocolError(verb, 'its answer has no list of sessions');
  return collect(raw, normaliseSession, 'a session without an id');
}

export function normaliseSession(raw: unknown): Session | undefined {
  if (!isObject(raw)) return undefined;
  const id = typeof raw.id === 'number' ? String(raw.id) : raw.id;
  if (typeof id !== 'string' || id === '') return undefined;
  const exitCode = integerOr(raw.exit_code, null);
  return {
    ...raw,
    id,
    command: typeof raw.command === 'string' ? [raw.command] : textsOf(raw.command),
    dir: textOr(raw.dir, ''),
    user: textOr(raw.user, ''),
    tty: raw.tty === true,
    state: sessionStateOf(raw.state ?? raw.status, exitCode),
    exit_code: exitCode,
    signal: textOr(raw.signal, null),
    created_at: textOr(raw.created_at, ''),
    exited_at: textOr(raw.exited_at, null),
    stdout_bytes: integerOr(raw.stdout_bytes, 0),
    stderr_bytes: integerOr(raw.stderr_bytes, 0),
    stdout_start: integerOr(raw.stdout_start, 0),
    stderr_start: integerOr(raw.stderr_start, 0),
    cols: integerOr(raw.cols, null),
    rows: integerOr(raw.rows, null),
  };
}

/** Only what says so is running or has exited with a code; the rest can't be verified. */
function sessionStateOf(value: unknown, exitCode: number | null): Session['state'] {
  if (value === 'running' || value === 'exited') return value;
  return exitCode === null ? 'lost' : 'exited';
}

/** `exit_code` must be there: an integer, or null while a detached command runs. */
export function normaliseExec(data: unknown, isDetached: boolean): ExecData {
  if (!isObject(data)) throw protocolError('exec', 'its answer has no result');
  const exitCode = integerOr(data.exit_code, null);
  if (exitCode === null && !isDetached) throw protocolError('exec', 'its answer has no exit code');
  const sessionId = typeof data.session_id === 'number' ? String(data.session_id) : data.session_id;
  if (isDetached && (typeof sessionId !== 'string' || sessionId === '')) {
    throw protocolError('exec', 'its answer has no session id for the detached command');
  }
  return {
    ...data,
    session_id: textOr(sessionId, ''),
    exit_code: exitCode,
    signal: textOr(data.signal, null),
    stdout: textOr(data.stdout, ''),
    stderr: textOr(data.stderr, ''),
    stdout_truncated_bytes: integerOr(data.stdout_truncated_bytes, 0),
    stderr_truncated_bytes: integerOr(data.stderr_truncated_bytes, 0),
    timed_out: data.timed_out === true,
    duration_ms: numberOr(data.duration_ms, 0),
  };
}

export function normaliseAttach(data: unknown): AttachData {
  const session = isObject(data) ? normaliseSession(data.session) : undefined;
  if (!isObject(data) || session === undefined) throw protocolError('attach', 'its answer has no session');
  return {
    ...data,
    session,
    output_tail: textOr(data.output_tail, ''),
    next_offset: integerOr(data.next_offset, 0),
  };
}

export function normaliseKilledSession(data: unknown): { exit_code: number | null; already_gone: boolean } {
  const hasResult = isObject(data) && ('exit_code' in data || data.already_gone === true);
  if (!hasResult) throw protocolError('kill-session', 'its answer does not say how the session ended');
  return { ...data, exit_code: integerOr(data.exit_code, null), already_gone: data.already_gone === true };
}
