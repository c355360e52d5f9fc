/**
 * The file `state` of a session's directory: a line of JSON by its supervisor, and a line that says why it is
 * being ended from outside ("kill TERM", "timeout KILL"), blank otherwise. Both have a fixed length and are
 * written in place into what was there before, so they are also written when the disk is full.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from './small-file.ts';

/** Lengths of the lines, their ends included; the supervisor has them, too. */
const STATE_BYTES = 448;
const ENDING_BYTES = 64;

/** The start time is that of /proc/PID/stat. */
export interface SessionState {
  readonly supervisor: readonly [pid: number, born: string];
  /** Host pid of the first process inside, long gone, by which the kernel knows the session; 0: not there yet. */
  readonly leader: number;
  readonly copiers: readonly number[];
  readonly exit: ExitRecord | null;
  /** Every byte is in the logs. */
  readonly is_drained: boolean;
}

export interface ExitRecord {
  /** null: it ended, and nobody knows how. */
  readonly code: number | null;
  readonly is_signal: boolean;
  readonly timed_out: boolean;
  /** Hundredths of a second since boot. */
  readonly ticks: number;
}

/** Who ends it and, once it is sent, the signal that nothing survives. */
export type Ending = `kill ${string}` | 'timeout KILL';

export function blankState(): string {
  return line('', STATE_BYTES) + line('', ENDING_BYTES);
}

/** null: the supervisor has not come so far. */
export function readState(path: string): SessionState | null {
  return parseRecord<SessionState>(stateLines(path)[0]);
}

export function readEnding(path: string): string {
  return stateLines(path)[1];
}

/** Said before it is done, so that the supervisor knows what it was. */
export function noteEnding(path: string, ending: Ending): void {
  writeInPlace(path, line(ending, ENDING_BYTES), STATE_BYTES);
}

/** For a session whose supervisor is gone: nobody else writes there any more. */
export function recordExit(path: string, exit: ExitRecord): void {
  const state = readState(path);
  if (state !== null) writeInPlace(path, line(JSON.stringify({ ...state, exit }), STATE_BYTES), 0);
}

/** Hundredths of a second since boot. */
export function ticksNow(): number {
  const [uptime = '0'] = readFileSync('/proc/uptime', 'latin1').split(' ');
  return Math.round(Number(uptime) * 100);
}

/** null for what is blank or broken. */
export function parseRecord<T>(text: string): T | null {
  try {
    const value: unknown = text === '' ? null : JSON.parse(text);
    return typeof value === 'object' ? (value as T | null) : null;
  } catch {
    return null; // A record cut short by a crash is no record.
  }
}

function stateLines(path: string): [state: string, ending: string] {
  const [state = '', ending = ''] = readText(join(path, 'state')).split('\n');
  return [state.trim(), ending.trim()];
}

function line(text: string, sizeBytes: number): string {
  return `${text.padEnd(sizeBytes - 1)}\n`;
}

function writeInPlace(path: string, text: string, offset: number): void {
  const fd = openSync(join(path, 'state'), 'r+');
  try {
    writeSync(fd, text, offset, 'latin1');
  } finally {
    closeSync(fd);
  }
}
