import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SpriteExecError } from '../../../errors.ts';
import { identify } from '../../../process/identity.ts';
import type { SessionHandle, SessionSpec, Waiting } from '../../engine.ts';
import type { RunningSprite } from '../inside.ts';
import { Changes } from './changes.ts';
import { Lease } from './lease.ts';
import { LocalSession } from './local-session.ts';
import { killMembers } from './members.ts';
import { pruneSessions } from './prune.ts';
import { makeSessionDir, newSessionId, type SessionMeta, sessionsDir, streamsOf } from './session-dir.ts';
import { readFacts } from './session-facts.ts';
import { type SessionRequest, sessionRequest } from './session-request.ts';
import { ticksNow } from './session-state.ts';
import { readText } from './small-file.ts';
import { supervise } from './supervise.ts';

/**
 * Runs a command in a sprite; resolves once it runs. What it writes waits for the handle's `output()`, so a
 * handle whose output nobody wants is to be disposed of; the session goes on.
 * Throws `USAGE`, `PATH_INVALID`, `SPRITE_EXEC_FAILED` (nothing runs then, and no record is left).
 */
export async function openSession(
  sprite: RunningSprite,
  spec: SessionSpec,
  waiting: Waiting = {},
): Promise<SessionHandle> {
  waiting.signal?.throwIfAborted();
  const request = sessionRequest(sprite, spec);
  const meta = newMeta(sprite, request);
  const path = join(sessionsDir(sprite.dir), meta.id);
  let lease: Lease | undefined;
  let changes: Changes | undefined;
  try {
    makeSessionDir(path, meta);
    lease = new Lease({
      path,
      streams: streamsOf(meta),
      logCapBytes: meta.log_cap_bytes,
      reader: meta.opener,
    });
    changes = new Changes(path);
    const supervised = await supervise({ sprite, path, request, changes, ...waiting });
    // Nobody waits for it; what can't be removed now is tried again with a later session.
    pruneSessions(sprite.dir).catch(() => undefined);
    return new LocalSession({ path, meta, sprite, lease, changes, ...supervised });
  } catch (error) {
    changes?.[Symbol.dispose]();
    lease?.[Symbol.dispose]();
    await removeHalfMade(path);
    throw fullDiskError(error) ?? error;
  }
}

function newMeta(sprite: RunningSprite, request: SessionRequest): SessionMeta {
  const init = identify(sprite.initPid);
  const opener = identify(process.pid);
  if (init === null || opener === null) {
    throw new SpriteExecError('exec: the sprite went down meanwhile', { retryable: true });
  }
  return {
    version: 1,
    id: newSessionId(),
    command: request.command,
    dir: request.dir,
    user: request.user,
    tty: request.tty,
    has_stdin: request.hasStdin,
    created_at: new Date().toISOString(),
    created_ticks: ticksNow(),
    timeout_ms: request.timeoutMs,
    log_cap_bytes: request.logCapBytes,
    annotations: request.annotations,
    init,
    opener,
  };
}

async function removeHalfMade(path: string): Promise<void> {
  const facts = readFacts(path);
  // The runtime's own word: the supervisor may have been stopped before it noted it.
  const leader = Number(readText(join(path, 'pid')));
  if (facts !== null && leader > 0) {
    await killMembers({ meta: facts.meta, state: { leader } });
  }
  rmSync(path, { recursive: true, force: true });
}

function fullDiskError(error: unknown): SpriteExecError | null {
  const errno = errnoOf(error);
  if (errno !== 'ENOSPC' && errno !== 'EDQUOT') return null;
  return new SpriteExecError("exec: the disk is full: there is no room for the session's record", {
    cause: error,
  });
}
