import { fired } from '../process/abort.ts';
import type { ApiSocket } from './api-socket.ts';
import { CLOSE } from './api-socket.ts';

const PING_MS = 30_000;

/** For connections that go on until somebody leaves: resolves when the client has, or the server is to end. */
export async function untilClosed(socket: ApiSocket, draining: AbortSignal): Promise<void> {
  const end = AbortSignal.any([socket.closing, draining]);
  const ping = setInterval(() => socket.ping(), PING_MS);
  await fired(end);
  clearInterval(ping);
  if (!socket.closing.aborted) await socket.close(CLOSE.goingAway, 'server ends');
}
