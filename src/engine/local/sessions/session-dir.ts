/**
 * The directory of a session, `sessions/<id>/` below its sprite's, mode 0700.
 *
 *   meta.json               what was asked for and by whom; first of all, before anything runs
 *   state                   two lines in place of fixed length, see session-state.ts
 *   stdout.log stderr.log   the logs, see log-files.ts; stderr.log stays away where there is a terminal
 *   reader.*                one per follower: "PID BORN STDOUT-OFFSET STDERR-OFFSET"
 *   resizes                 a terminal's sizes: "OFFSET COLS ROWS" per line
 *   stdin                   a fifo · pid, runtime.log: of the OCI runtime
 *
 * Few files, for each costs a start some tenths of a ms.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../../process/identity.ts';
import type { OutputStream, TerminalSize } from '../../engine.ts';
import { blankState } from './session-state.ts';

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
  /** The same moment in hundredths of a second since boot, which is what the supervisor knows. */
  readonly created_ticks: number;
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

export function streamsOf(meta: Pick<SessionMeta, 'tty'>): readonly OutputStream[] {
  return meta.tty === null ? ['stdout', 'stderr'] : ['stdout'];
}

/** Makes the directory with what the supervisor needs to be there. Throws the system error (a full disk, say). */
export function makeSessionDir(path: string, meta: SessionMeta): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // Not synced: what a power cut leaves unwritten has ended with it.
  makeFile(join(path, 'meta.json'), JSON.stringify(meta));
  makeFile(join(path, 'state'), blankState());
  const { tty } = meta;
  if (tty !== null) makeFile(join(path, 'resizes'), `0 ${tty.cols} ${tty.rows}\n`);
}

function makeFile(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
}
