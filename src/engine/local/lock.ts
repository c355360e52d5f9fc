/**
 * One writer per sprite. A lock is a file that names its holder by pid, start time and boot id; it is made by
 * link(2), so it is never seen half-written. A dead holder's lock is taken over:
 *
 *   link LOCK → LOCK.steal-<holder>   only one taker of this very lock succeeds
 *   the link still holds the dead holder's name? → unlink LOCK, compete for it as usual, unlink the marker
 */
import { linkSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, WreckitError } from '../../errors.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../../process/identity.ts';
import { sha256Hex } from '../digest.ts';
import type { Waiting } from '../engine.ts';

const POLL_MS = 20;
/** A taker that died between its two steps leaves its marker; nobody needs this long for them. */
const STALE_MARKER_MS = 10_000;

export interface LockOptions extends Waiting {
  /** How long to wait for a living holder (default 120 s). Throws `SPRITE_BUSY`. */
  readonly waitMs?: number | undefined;
  /** What is locked, for messages. */
  readonly what: string;
}

export interface HeldLock extends Disposable {
  release(): void;
}

export async function acquireLock(path: string, options: LockOptions): Promise<HeldLock> {
  const deadline = Date.now() + (options.waitMs ?? 120_000);
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 10)}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)), { mode: 0o600, flag: 'wx' });
  try {
    while (!tryLink(mine, path)) {
      options.signal?.throwIfAborted();
      if (takeOver(path)) continue;
      if (Date.now() >= deadline) {
        throw new WreckitError(
          'SPRITE_BUSY',
          `${options.what}: another command has been changing it for too long`,
          {
            retryable: true,
            details: { holder: readHolder(path)?.pid ?? null },
          },
        );
      }
      await sleep(POLL_MS);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const release = () => rmSync(path, { force: true });
  return { release, [Symbol.dispose]: release };
}

/** The living process that holds the lock, or null. */
export function lockHolder(path: string): ProcessIdentity | null {
  const holder = readHolder(path);
  return holder !== null && isSameProcess(holder) ? holder : null;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** True when the lock is free now, or may be: try again at once. */
function takeOver(path: string): boolean {
  const text = readText(path);
  if (text === null) return true;
  const holder = parseHolder(text);
  if (holder !== null && isSameProcess(holder)) return false;
  const marker = `${path}.steal-${sha256Hex(text).slice(0, 16)}`;
  try {
    if (!tryLink(path, marker)) return dropStaleMarker(marker);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
  if (readText(marker) === text) rmSync(path, { force: true });
  rmSync(marker, { force: true });
  return true;
}

function dropStaleMarker(marker: string): boolean {
  const stats = statSync(marker, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  if (Date.now() - stats.ctimeMs < STALE_MARKER_MS) return false;
  try {
    unlinkSync(marker);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return true;
}

function readHolder(path: string): ProcessIdentity | null {
  const text = readText(path);
  return text === null ? null : parseHolder(text);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function parseHolder(text: string): ProcessIdentity | null {
  try {
    const { pid, startTime, bootId } = JSON.parse(text) as Partial<ProcessIdentity>;
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof bootId !== 'string') return null;
    return { pid, startTime, bootId };
  } catch {
    return null;
  }
}
