/** A session as the API tells it. */
import type { Session } from '../../contract/schemas.ts';

export interface SessionInfo {
  readonly type: 'session_info';
  readonly session_id: string;
  readonly command: string;
  /** Unix seconds. */
  readonly created: number;
  readonly cols: number;
  readonly rows: number;
  /** This client started it. */
  readonly is_owner: boolean;
  readonly tty: boolean;
  /** Where in its output the bytes that follow begin. */
  readonly stdout_offset: number;
  readonly stderr_offset: number;
}

export function sessionInfo(
  session: Session,
  isOwner: boolean,
  from: { readonly stdout: number; readonly stderr: number },
): SessionInfo {
  return {
    type: 'session_info',
    session_id: session.id,
    command: session.command.join(' '),
    created: Math.floor(Date.parse(session.created_at) / 1000),
    cols: session.cols ?? 0,
    rows: session.rows ?? 0,
    is_owner: isOwner,
    tty: session.tty,
    stdout_offset: from.stdout,
    stderr_offset: from.stderr,
  };
}

/** An entry of the session list. */
export function sessionEntry(session: Session): Record<string, unknown> {
  return {
    id: session.id,
    command: session.command.join(' '),
    workdir: session.dir,
    created: session.created_at,
    tty: session.tty,
    bytes_per_second: bytesPerSecond(session),
    is_active: session.state === 'running',
    last_activity: session.last_output_at ?? session.created_at,
    user: session.user,
    stdout_bytes: session.stdout_bytes,
    stderr_bytes: session.stderr_bytes,
  };
}

/** With what a client needs that shows ended sessions, too. */
export function fullSessionEntry(session: Session): Record<string, unknown> {
  const {
    command: argv,
    state,
    exit_code,
    signal,
    exited_at,
    stdout_start,
    stderr_start,
    cols,
    rows,
  } = session;
  const end = { argv, state, exit_code, signal, exited_at };
  return { ...sessionEntry(session), ...end, stdout_start, stderr_start, cols, rows };
}

/** Over its whole life. */
function bytesPerSecond({
  stdout_bytes: stdout,
  stderr_bytes: stderr,
  created_at: createdAt,
}: Session): number {
  const seconds = Math.max(1, (Date.now() - Date.parse(createdAt)) / 1000);
  return Math.round((stdout + stderr) / seconds);
}
