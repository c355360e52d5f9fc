/**
 * Ends a session from the host: the signal to its process group, time to obey, then SIGKILL to all of it.
 * The supervisor records how it ended; where there is none left, this does.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WreckitError } from '../../../errors.ts';
import { isSameProcess } from '../../../process/identity.ts';
import type { KillSessionResult, SignalSpec, Waiting } from '../../engine.ts';
import { Changes } from './changes.ts';
import { findMembers, killMembers, signalMembers } from './members.ts';
import { requireFacts } from './require-facts.ts';
import { isSessionId } from './session-dir.ts';
import { readFacts, type SessionFacts, supervisorOf } from './session-facts.ts';
import { type Ending, noteEnding, readEnding, readState, recordExit, ticksNow } from './session-state.ts';
import { shortSignalName } from './signal-names.ts';

const DEFAULT_GRACE_MS = 10_000;
/** From the runtime's start to the command's. */
const START_MS = 30_000;
/** How long the supervisor may take to write down an end. */
const RECORD_MS = 2_000;
const LOOK_MS = 100;

/** Throws `SESSION_NOT_FOUND`, `USAGE` (the signal), `SPRITE_KILL_FAILED` (it does not die). */
export async function killSession(
  spriteDir: string,
  sessionId: string,
  how: SignalSpec = {},
): Promise<KillSessionResult> {
  const signal = shortSignalName(how.name ?? 'TERM');
  const seen = requireFacts(spriteDir, sessionId);
  if (seen.phase === 'exited') return { exitCode: seen.state?.exit?.code ?? null, alreadyGone: true };
  using changes = new Changes(seen.path);
  const facts = await started(seen, changes, how);
  if (facts === null || (await findMembers(facts)).length === 0)
    return await alreadyGone(seen.path, changes, how);
  if (signal !== 'KILL') {
    if (!how.only) noteEnding(seen.path, `kill ${signal}`);
    // An interactive shell takes no notice of SIGTERM; that its terminal is gone it does notice.
    const isHangup = facts.meta.tty !== null && signal === 'TERM' && !how.only;
    await signalMembers(facts, isHangup ? [signal, 'HUP'] : [signal]);
    if (how.only) return { exitCode: readState(seen.path)?.exit?.code ?? null, alreadyGone: false };
    const isGone = await areMembersGone(facts, changes, how);
    if (isGone) return { exitCode: await settledCode(facts, changes, how), alreadyGone: false };
  }
  return { exitCode: await killNow(facts, changes, how), alreadyGone: false };
}

/** SIGKILL to all of it at once. Returns the exit code on record. Throws `SPRITE_KILL_FAILED`. */
export async function killNow(
  facts: SessionFacts,
  changes: Changes,
  waiting: Waiting,
  ending: Ending = 'kill KILL',
): Promise<number | null> {
  noteEnding(facts.path, ending);
  if (!(await killMembers(facts))) {
    throw new WreckitError('SPRITE_KILL_FAILED', `session ${facts.meta.id}: its processes do not end`, {
      retryable: true,
    });
  }
  return await settledCode(facts, changes, waiting);
}

/** Waits for the command to run; null when it never did, or is over. */
async function started(seen: SessionFacts, changes: Changes, waiting: Waiting): Promise<SessionFacts | null> {
  const deadline = performance.now() + START_MS;
  for (let facts: SessionFacts | null = seen; facts !== null; facts = readFacts(seen.path)) {
    if (facts.state !== null && facts.state.leader !== 0) {
      return isSameProcess(facts.meta.init) && !isNumberReused(facts) ? facts : null;
    }
    if (facts.phase !== 'running' || performance.now() > deadline) return null;
    await changes.next(waiting);
  }
  return null;
}

/** A later session has the same number: the kernel gives it out again only when nothing is left of the first. */
function isNumberReused({ path, meta, state }: SessionFacts): boolean {
  const later = readdirSync(dirname(path)).filter((id) => isSessionId(id) && id > meta.id);
  return later.some((id) => readState(join(dirname(path), id))?.leader === state?.leader);
}

async function alreadyGone(path: string, changes: Changes, waiting: Waiting): Promise<KillSessionResult> {
  const facts = readFacts(path);
  const exitCode = facts === null ? null : await settledCode(facts, changes, waiting);
  return { exitCode, alreadyGone: true };
}

async function areMembersGone(facts: SessionFacts, changes: Changes, how: SignalSpec): Promise<boolean> {
  const deadline = performance.now() + (how.graceMs ?? DEFAULT_GRACE_MS);
  for (;;) {
    // The end of the command is told; that of what it left behind has to be looked for.
    const isOver = readFacts(facts.path)?.phase !== 'running';
    if (isOver && (await findMembers(facts)).length === 0) return true;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return (await findMembers(facts)).length === 0;
    await changes.next(how, Math.min(leftMs, LOOK_MS));
  }
}

/** The exit code, once whoever records it has done so; all its processes are gone. */
async function settledCode(facts: SessionFacts, changes: Changes, waiting: Waiting): Promise<number | null> {
  const deadline = performance.now() + RECORD_MS;
  for (;;) {
    const now = readFacts(facts.path);
    const state = now?.state ?? null;
    if (now === null || (state !== null && state.exit !== null)) return state?.exit?.code ?? null;
    const isSupervised = state !== null && isSameProcess(supervisorOf(now.meta, state));
    if (!isSupervised || performance.now() > deadline) break;
    await changes.next(waiting, LOOK_MS);
  }
  return recordKill(facts.path);
}

/** Nobody else will: that it was killed is known, every other end stays unknown. */
function recordKill(path: string): number | null {
  const [why, signal] = readEnding(path).split(' ');
  if (signal !== 'KILL') return null;
  const exitCode = 137;
  recordExit(path, { code: exitCode, is_signal: true, timed_out: why === 'timeout', ticks: ticksNow() });
  return exitCode;
}
