/** A client at a session: from the handshake to its leaving the session counts as attended. */
import type { Session } from '../../contract/schemas.ts';
import type { SessionHandle } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import type { ApiContext } from '../api-context.ts';
import type { ApiSocket } from '../api-socket.ts';
import { findSprite } from '../find-sprite.ts';
import type { ExecParams } from './exec-query.ts';
import { type AttachedSession, serveSession } from './serve-session.ts';

/** What an attaching client is shown of a log at most. */
const SCROLLBACK_BYTES = 1024 * 1024;
/** A session that has ended is still attached to for this long: its last output and its exit. */
const LINGER_MS = 30_000;

type Offsets = Pick<ExecParams, 'output_offset' | 'stderr_offset'>;
type Beginning = Omit<AttachedSession, 'api' | 'name' | 'handle'>;

/** Throws `SPRITE_NOT_FOUND`, `SESSION_NOT_FOUND`. */
export async function openAttached(
  api: ApiContext,
  name: string,
  sessionId: string,
  offsets: Offsets,
  signal: AbortSignal,
): Promise<(socket: ApiSocket) => Promise<void>> {
  // A frozen sprite goes on; one that was stopped has no session that could.
  if ((await findSprite(api.engine, name, signal)).state === 'warm') await api.engine.wake(name, { signal });
  const handle = await api.engine.session(name, sessionId, { signal });
  return await attended(api, name, handle, signal, async (session) => {
    assertAttachable(session, offsets);
    return { session, isOwner: false, ...(await beginning(handle, session, offsets, signal)) };
  });
}

/** Who comes back for the bytes it missed may have them as long as there are any. */
function assertAttachable({ id, state, exited_at }: Session, { output_offset }: Offsets): void {
  if (state === 'running' || output_offset !== undefined) return;
  if (state === 'exited' && Date.parse(exited_at ?? '') > Date.now() - LINGER_MS) return;
  throw new WreckitError('SESSION_NOT_FOUND', `session not found: ${id}`);
}

async function beginning(
  handle: SessionHandle,
  session: Session,
  { output_offset, stderr_offset }: Offsets,
  signal: AbortSignal,
): Promise<Pick<Beginning, 'from' | 'screen'>> {
  if (output_offset === undefined && session.tty && handle.screen !== undefined) {
    const { bytes: screen, nextOffset } = await handle.screen({ signal });
    return { from: { stdout: nextOffset, stderr: 0 }, screen };
  }
  const tail = (end: number, first: number): number => Math.max(first, end - SCROLLBACK_BYTES);
  const stdout = output_offset ?? tail(session.stdout_bytes, session.stdout_start);
  const stderr = stderr_offset ?? tail(session.stderr_bytes, session.stderr_start);
  return { from: { stdout, stderr }, screen: null };
}

/** The session counts as attended from now on, whatever becomes of the handshake. */
export async function attended(
  api: ApiContext,
  name: string,
  handle: SessionHandle,
  signal: AbortSignal,
  begin: (session: Session) => Promise<Beginning>,
): Promise<(socket: ApiSocket) => Promise<void>> {
  const session = await handle.info();
  const client = api.clients.attach(name, session);
  const leave = async (): Promise<void> => {
    client[Symbol.dispose]();
    try {
      await handle[Symbol.asyncDispose]();
    } catch (error) {
      api.log.warn({ event: 'session_not_released', sprite: name, session: handle.id, err: error });
    }
  };
  const onAbort = (): void => void leave();
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    const begun = await begin(session);
    return async (socket) => {
      try {
        await serveSession(socket, { api, name, handle, ...begun });
      } finally {
        signal.removeEventListener('abort', onAbort);
        await leave();
      }
    };
  } catch (thrown) {
    signal.removeEventListener('abort', onAbort);
    await leave();
    throw thrown;
  }
}
