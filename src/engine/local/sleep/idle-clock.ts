/**
 * How long one sprite has been idle, told by looking at it again and again. What counts as activity since the
 * last look (docs/decisions/0009-auto-sleep.md):
 *
 *   use         a command that is being started, a file call, a tunnel: their holds
 *   attached    a living reader of a running session
 *   work        CPU time of at least 1 % of one CPU
 *   output      a running session wrote
 *   connection  it waits for an answer from outside
 *   kept        a label or a task keeps it awake
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Mount } from '../host-mounts.ts';
import type { SpriteRecord } from '../record.ts';
import { Connections } from './connections.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { isHeld, lastHeldMs } from './holds.ts';
import { isKeptAwake } from './keep-awake.ts';
import { SessionsWatch } from './sessions-watch.ts';

/** Of the time that passed; less is what a program needs to wait. */
const WORK_SHARE = 0.01;
/** Below this a share says nothing. */
const MIN_WORK_MS = 2;

export interface IdleFacts {
  readonly record: SpriteRecord;
  readonly dir: string;
  readonly initPid: number;
  readonly group: string;
  readonly mounts: readonly Mount[];
}

export class IdleClock {
  readonly #sessions = new SessionsWatch();
  readonly #connections = new Connections();
  #activeAt = performance.now();
  #lookedAt = performance.now();
  #cpuMs: number | null = null;
  #lastOutputMs = 0;
  #lastChangeMs = 0;

  /** Since it was last active, ms. */
  get idleMs(): number {
    return performance.now() - this.#activeAt;
  }

  /** It counts as active now. */
  reset(): void {
    this.#activeAt = performance.now();
  }

  /** Somebody does something in the sprite now, or is attached to one of its sessions. */
  isInUse(dir: string): boolean {
    return isHeld(dir) || this.#sessions.look(dir).isAttended;
  }

  look(facts: IdleFacts): void {
    if (this.#isActive(facts)) this.reset();
  }

  /** All of it is looked at each time: the next look compares with this one. */
  #isActive({ record, dir, initPid, group, mounts }: IdleFacts): boolean {
    const sessions = this.#sessions.look(dir);
    const signs = [
      this.#hasWorked(cpuTimeMs(initPid, group, mounts)),
      this.#hasChanged(Math.max(lastHeldMs(dir), changedMs(join(dir, 'sessions')))),
      this.#hasWritten(sessions.lastOutputMs),
      sessions.isAttended,
      isHeld(dir),
      isKeptAwake(record, dir),
    ];
    // The dearest look last: only where nothing else shows.
    return signs.includes(true) || this.#connections.isOutside(record, initPid);
  }

  #hasWorked(cpuMs: number | null): boolean {
    const now = performance.now();
    const enoughMs = Math.max(MIN_WORK_MS, (now - this.#lookedAt) * WORK_SHARE);
    const hasWorked = cpuMs !== null && this.#cpuMs !== null && cpuMs - this.#cpuMs >= enoughMs;
    this.#lookedAt = now;
    this.#cpuMs = cpuMs;
    return hasWorked;
  }

  #hasChanged(changedAt: number): boolean {
    const isNew = changedAt > this.#lastChangeMs && this.#lastChangeMs > 0;
    this.#lastChangeMs = Math.max(changedAt, this.#lastChangeMs);
    return isNew;
  }

  #hasWritten(writtenAt: number): boolean {
    const isNew = writtenAt > this.#lastOutputMs && this.#lastOutputMs > 0;
    this.#lastOutputMs = Math.max(writtenAt, this.#lastOutputMs);
    return isNew;
  }
}

function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
