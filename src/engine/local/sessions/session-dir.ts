/**
 * The directory of a session, `sessions/<id>/` below its sprite's, mode 0700.
 *
 *   meta.json            what was asked for and by whom; first of all, before anything runs
 *   state.json           the supervisor, the first process inside, the copiers
 *   exit.json            how it ended; blank until then
 *   ending               why it is being ended from outside ("kill KILL", "timeout"); blank else
 *   stdout.log stderr.log, stdout.start stderr.start    the logs, and the first offset each still has
 *   readers/             one file per follower of a log: "PID BORN OFFSET"
 *   resizes              a terminal's sizes: "OFFSET COLS ROWS" per line
 *   stdin out err exit   fifos · pid, runtime.log: of the OCI runtime
 *
 * The supervisor writes state.json, exit.json and *.start in place, into the blanks made here.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../errors.ts';
import type { ProcessIdentity } from '../../../process/identity.ts';
import type { OutputStream, TerminalSize } from '../../engine.ts';

const SESSION_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;
const RANDOM_CHARACTERS = 8;

export interface SessionMeta {
  readonly version: 1;
  readonly id: string;
  readonly command: readonly string[];
  readonly dir: string;
  readonly user: 'sprite' | 'root';
  readonly tty: TerminalSize | null;
  readonly has_stdin: boolean;
  readonly created_at: string;
  readonly timeout_ms: number | null;
  readonly log_cap_bytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** The sprite's PID 1 on the host. */
  readonly init: ProcessIdentity;
  /** Who opened the session, and answers for it until the supervisor is there. */
  readonly opener: ProcessIdentity;
}

export function sessionsDir(spriteDir: string): string {
  return join(spriteDir, 'sessions');
}

export function isSessionId(name: string): boolean {
  return SESSION_ID.test(name);
}

/** Ids sort by time and are never used again. */
export function newSessionId(): string {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => Math.floor(Math.random() * 36).toString(36));
  return `${Date.now().toString(36)}-${random.join('')}`;
}

export function logPath(path: string, stream: OutputStream): string {
  return join(path, `${stream}.log`);
}

export function streamsOf(meta: Pick<SessionMeta, 'tty'>): readonly OutputStream[] {
  return meta.tty === null ? ['stdout', 'stderr'] : ['stdout'];
}

/** Makes the directory and all that the supervisor writes into. Throws the system error (a full disk, say). */
export function makeSessionDir(path: string, meta: SessionMeta): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // Not synced: what a power cut leaves unwritten has ended with it.
  makeFile(join(path, 'meta.json'), JSON.stringify(meta));
  mkdirSync(join(path, 'readers'), { mode: 0o700 });
  const blanks = { 'state.json': 512, 'exit.json': 256, ending: 32, 'stdout.start': 32, 'stderr.start': 32 };
  for (const [name, size] of Object.entries(blanks)) makeFile(join(path, name), `${' '.repeat(size - 1)}\n`);
  for (const stream of ['stdout', 'stderr'] as const) makeFile(logPath(path, stream), '');
  const { tty } = meta;
  if (tty !== null) makeFile(join(path, 'resizes'), `0 ${tty.cols} ${tty.rows}\n`);
}

function makeFile(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
}

/** A small file's text; empty when it is blank, or can't be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (errnoOf(error) !== undefined) return '';
    throw error;
  }
}

/** The first offset that a log still has. */
export function readStart(path: string, stream: OutputStream): number {
  const start = Number(readText(join(path, `${stream}.start`)));
  return Number.isSafeInteger(start) ? start : 0;
}
