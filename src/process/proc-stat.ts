/** What Linux says of a process in /proc/PID/stat. */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

export interface ProcStat {
  /** It has ended and waits for its parent to notice. */
  readonly isZombie: boolean;
  readonly groupId: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
}

/** null: there is no such process. */
export function readProcStat(pid: number | string): ProcStat | null {
  const text = readIfThere(`/proc/${pid}/stat`);
  return text === null ? null : parseProcStat(text);
}

/** The second field, the name in parentheses, may hold spaces and ")". */
export function parseProcStat(text: string): ProcStat | null {
  const afterName = text.slice(text.lastIndexOf(')') + 2);
  const [state, , groupId, ...rest] = afterName.trimEnd().split(' ');
  const startTime = rest[16];
  if (state === undefined || startTime === undefined) return null;
  return { isZombie: state === 'Z' || state === 'X', groupId: Number(groupId), startTime };
}

export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between opening and reading its file.
    if (['ENOENT', 'ESRCH', 'EACCES', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return null;
    throw error;
  }
}
