/** What a session's directory says, put together with who still runs. Read anew at every look. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../../../contract/schemas.ts';
import { errnoOf } from '../../../errors.ts';
import { isSameProcess, type ProcessIdentity } from '../../../process/identity.ts';
import { isSessionId, logPath, readStart, readText, type SessionMeta, sessionsDir } from './session-dir.ts';
import { signalName } from './signal-names.ts';
import { readSizes } from './terminal-sizes.ts';

/** Start times are those of /proc/PID/stat; pid 0: not known (yet). */
export interface SupervisorState {
  readonly supervisor: readonly [pid: number, born: string];
  readonly leader: readonly [pid: number, born: string];
  readonly copiers: readonly number[];
  /** Every byte is in the logs. */
  readonly is_drained: boolean;
}

export interface ExitRecord {
  /** null: it ended, and nobody knows how. */
  readonly exit_code: number | null;
  readonly is_signal: boolean;
  readonly timed_out: boolean;
}

export interface SessionFacts {
  readonly path: string;
  readonly meta: SessionMeta;
  readonly state: SupervisorState | null;
  readonly exit: ExitRecord | null;
  readonly phase: 'running' | 'exited' | 'lost';
}

/** null: there is no such session, or its record can't be read. */
export function readFacts(path: string): SessionFacts | null {
  const meta = parse<SessionMeta>(readText(join(path, 'meta.json')));
  if (meta?.version !== 1) return null;
  const state = readState(path);
  // In this order: a supervisor that is seen dead has written all it ever will.
  const isSupervised = isAlive(meta, state);
  const exit = parse<ExitRecord>(readText(join(path, 'exit.json')));
  return { path, meta, state, exit, phase: phaseOf(exit, isSupervised) };
}

/** null: the supervisor has not come so far. */
export function readState(path: string): SupervisorState | null {
  return parse<SupervisorState>(readText(join(path, 'state.json')));
}

function phaseOf(exit: ExitRecord | null, isSupervised: boolean): SessionFacts['phase'] {
  if (exit !== null) return exit.exit_code === null ? 'lost' : 'exited';
  return isSupervised ? 'running' : 'lost';
}

/** True while somebody is there to record the end: the supervisor, before it the one who opened the session. */
function isAlive(meta: SessionMeta, state: SupervisorState | null): boolean {
  if (state === null) return isSameProcess(meta.opener);
  return isSameProcess(supervisorOf(meta, state));
}

export function supervisorOf(meta: SessionMeta, state: SupervisorState): ProcessIdentity {
  const [pid, startTime] = state.supervisor;
  return { pid, startTime, bootId: meta.opener.bootId };
}

export function exitSignal({ exit_code: code, is_signal: isSignal }: ExitRecord): string | null {
  return isSignal && code !== null ? signalName(code - 128) : null;
}

export function sessionIds(spriteDir: string): string[] {
  try {
    const entries = readdirSync(sessionsDir(spriteDir), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && isSessionId(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** All sessions of a sprite, oldest first. One whose record can't be read is shown as lost. */
export function listSessions(spriteDir: string): Session[] {
  return sessionIds(spriteDir).map((id) => {
    const path = join(sessionsDir(spriteDir), id);
    const facts = readFacts(path);
    return facts === null ? unreadable(path, id) : sessionView(facts);
  });
}

export function countRunningSessions(spriteDir: string): number {
  const paths = sessionIds(spriteDir).map((id) => join(sessionsDir(spriteDir), id));
  return paths.filter((path) => readFacts(path)?.phase === 'running').length;
}

export function sessionView({ path, meta, exit, phase }: SessionFacts): Session {
  const size = readSizes(path).at(-1) ?? meta.tty;
  return {
    id: meta.id,
    command: [...meta.command],
    dir: meta.dir,
    user: meta.user,
    tty: meta.tty !== null,
    state: phase,
    exit_code: phase === 'exited' ? (exit?.exit_code ?? null) : null,
    signal: exit === null ? null : exitSignal(exit),
    timed_out: exit?.timed_out ?? false,
    created_at: meta.created_at,
    exited_at: exit === null ? null : modifiedAt(join(path, 'exit.json')),
    ...logView(path),
    cols: size?.cols ?? null,
    rows: size?.rows ?? null,
    annotations: meta.annotations,
  };
}

function unreadable(path: string, id: string): Session {
  return {
    id,
    command: [],
    dir: '',
    user: '',
    tty: false,
    state: 'lost',
    exit_code: null,
    signal: null,
    created_at: modifiedAt(path),
    exited_at: null,
    ...logView(path),
    cols: null,
    rows: null,
  };
}

function logView(path: string) {
  const stdout = statSync(logPath(path, 'stdout'), { throwIfNoEntry: false });
  const stderr = statSync(logPath(path, 'stderr'), { throwIfNoEntry: false });
  const written = [stdout, stderr].filter((log) => log !== undefined && log.size > 0);
  const lastMs = Math.max(...written.map((log) => log?.mtimeMs ?? 0));
  return {
    stdout_bytes: stdout?.size ?? 0,
    stderr_bytes: stderr?.size ?? 0,
    stdout_start: readStart(path, 'stdout'),
    stderr_start: readStart(path, 'stderr'),
    last_output_at: written.length === 0 ? null : new Date(lastMs).toISOString(),
  };
}

function modifiedAt(path: string): string {
  return (statSync(path, { throwIfNoEntry: false })?.mtime ?? new Date(0)).toISOString();
}

/** null for what is blank or broken. */
function parse<T>(text: string): T | null {
  try {
    const value: unknown = text === '' ? null : JSON.parse(text);
    return typeof value === 'object' ? (value as T | null) : null;
  } catch {
    return null; // A record cut short by a crash is no record.
  }
}
