/** What a session's directory says, put together with who still runs. Read anew at every look. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../../../contract/schemas.ts';
import { errnoOf } from '../../../errors.ts';
import { isSameProcess, type ProcessIdentity } from '../../../process/identity.ts';
import { logExtent } from './log-files.ts';
import { isSessionId, type SessionMeta, sessionsDir } from './session-dir.ts';
import { type ExitRecord, parseRecord, readState, type SessionState } from './session-state.ts';
import { signalName } from './signal-names.ts';
import { readText } from './small-file.ts';
import { readSizes } from './terminal-sizes.ts';

export interface SessionFacts {
  readonly path: string;
  readonly meta: SessionMeta;
  readonly state: SessionState | null;
  readonly phase: 'running' | 'exited' | 'lost';
}

/** null: there is no such session, or its record can't be read. */
export function readFacts(path: string): SessionFacts | null {
  const meta = parseRecord<SessionMeta>(readText(join(path, 'meta.json')));
  if (meta?.version !== 1) return null;
  const before = readState(path);
  const isSupervised = isAlive(meta, before);
  // Read again: a supervisor that is seen dead has written all it ever will.
  const state = isSupervised ? before : readState(path);
  return { path, meta, state, phase: phaseOf(state?.exit ?? null, isSupervised) };
}

function phaseOf(exit: ExitRecord | null, isSupervised: boolean): SessionFacts['phase'] {
  if (exit !== null) return exit.code === null ? 'lost' : 'exited';
  return isSupervised ? 'running' : 'lost';
}

/** True while somebody is there to record the end: the supervisor, before it the one who opened the session. */
function isAlive(meta: SessionMeta, state: SessionState | null): boolean {
  if (state === null) return isSameProcess(meta.opener);
  return isSameProcess(supervisorOf(meta, state));
}

export function supervisorOf(meta: SessionMeta, state: SessionState): ProcessIdentity {
  const [pid, startTime] = state.supervisor;
  return { pid, startTime, bootId: meta.opener.bootId };
}

export function exitSignal({ code, is_signal: isSignal }: ExitRecord): string | null {
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

export function sessionView({ path, meta, state, phase }: SessionFacts): Session {
  const exit = state?.exit ?? null;
  const size = readSizes(path).at(-1) ?? meta.tty;
  return {
    id: meta.id,
    command: [...meta.command],
    dir: meta.dir,
    user: meta.user,
    tty: meta.tty !== null,
    state: phase,
    exit_code: exit?.code ?? null,
    signal: exit === null ? null : exitSignal(exit),
    timed_out: exit?.timed_out ?? false,
    created_at: meta.created_at,
    exited_at: exit === null ? null : exitedAt(meta, exit),
    ...logView(path),
    cols: size?.cols ?? null,
    rows: size?.rows ?? null,
    annotations: meta.annotations,
  };
}

function exitedAt(meta: SessionMeta, exit: ExitRecord): string {
  const lifeMs = Math.max(0, exit.ticks - meta.created_ticks) * 10;
  return new Date(Date.parse(meta.created_at) + lifeMs).toISOString();
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
  const stdout = logExtent(path, 'stdout');
  const stderr = logExtent(path, 'stderr');
  const lastMs = Math.max(stdout.modifiedMs ?? 0, stderr.modifiedMs ?? 0);
  return {
    stdout_bytes: stdout.end,
    stderr_bytes: stderr.end,
    stdout_start: stdout.start,
    stderr_start: stderr.start,
    last_output_at: lastMs === 0 ? null : new Date(lastMs).toISOString(),
  };
}

function modifiedAt(path: string): string {
  return (statSync(path, { throwIfNoEntry: false })?.mtime ?? new Date(0)).toISOString();
}
