/**
 * One client of a session over a WebSocket. What clients need, in this order:
 *
 *   session_info (text) → [screen of a terminal] → output, all of it → without a terminal: the exit frame,
 *   then {"type":"exit"}; with one: {"type":"exit"} → close, 1000 for exit code 0 or no terminal, else 4000
 *
 * A client of Fly's Go SDK stops reading at the text frame, so that it must never come before the last byte; one
 * of the JavaScript SDK knows of a terminal's exit only what the close code says.
 */
import { z } from 'zod';
import type { Session } from '../../contract/schemas.ts';
import type { SessionHandle } from '../../engine/engine.ts';
import { toWreckitError } from '../../errors.ts';
import type { ApiContext } from '../api-context.ts';
import { type ApiSocket, CLOSE, type SocketMessage } from '../api-socket.ts';
import { parseJson } from '../parse-json.ts';
import { FrameSender } from './frame-sender.ts';
import { exitFrame, FRAME } from './frames.ts';
import { sessionInfo } from './session-text.ts';

export interface AttachedSession {
  readonly api: ApiContext;
  readonly name: string;
  readonly handle: SessionHandle;
  readonly session: Session;
  readonly isOwner: boolean;
  readonly from: { readonly stdout: number; readonly stderr: number };
  /** Shown before the output. */
  readonly screen: Uint8Array | null;
}

export const SessionMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('resize'), cols: z.int().min(1).max(10_000), rows: z.int().min(1).max(10_000) }),
  z.object({ type: z.literal('signal'), signal: z.string().max(32) }),
]);

const KEEP_ALIVE_CHECK_MS = 1_000;
const NOTHING = new Uint8Array(0);

export async function serveSession(socket: ApiSocket, attached: AttachedSession): Promise<void> {
  const { api, name, handle, session, isOwner, from, screen } = attached;
  await socket.sendJson(sessionInfo(session, isOwner, from));
  if (screen !== null) await socket.sendBytes(screen);
  const { keepAliveMs } = api.settings;
  const keepAlive = setInterval(
    () => {
      if (socket.silentMs >= keepAliveMs) void socket.sendBytes(NOTHING);
    },
    Math.min(KEEP_ALIVE_CHECK_MS, keepAliveMs),
  );
  using _notices = api.ports.listen(name, (notices) => {
    for (const notice of notices) void socket.sendJson(notice);
  });
  try {
    socket.receive((message) => handleMessage(message, attached, socket));
    if (!(await pumpOutput(socket, attached))) return;
    await announceExit(socket, handle);
  } finally {
    clearInterval(keepAlive);
  }
}

/** False: the client left. */
async function pumpOutput(socket: ApiSocket, { handle, from }: AttachedSession): Promise<boolean> {
  const { closing } = socket;
  const frames = new FrameSender(socket);
  const request = {
    stdoutFrom: from.stdout,
    stderrFrom: from.stderr,
    follow: true,
    nextBuffer: () => frames.nextBuffer(),
    signal: closing,
  };
  try {
    for await (const { stream, bytes, droppedBytes } of handle.output(request)) {
      if (droppedBytes > 0) await socket.sendJson({ type: 'output_dropped', stream, bytes: droppedBytes });
      if (!(await frames.send(handle.tty ? null : stream, bytes))) return false;
    }
  } catch (thrown) {
    if (closing.aborted) return false;
    throw thrown;
  }
  return !closing.aborted;
}

async function announceExit(socket: ApiSocket, handle: SessionHandle): Promise<void> {
  const { exitCode, signal, timedOut } = await handle.exit({ signal: socket.closing });
  if (exitCode === null) {
    await socket.sendJson({ type: 'error', message: 'the session ended without an exit status' });
    return await socket.close(CLOSE.internal, 'no exit status');
  }
  if (!handle.tty) await socket.sendBytes(exitFrame(exitCode));
  await socket.sendJson({ type: 'exit', exit_code: exitCode, signal, timed_out: timedOut });
  await socket.close(handle.tty && exitCode !== 0 ? CLOSE.nonZeroExit : CLOSE.normal);
}

async function handleMessage(
  message: SocketMessage,
  attached: AttachedSession,
  socket: ApiSocket,
): Promise<void> {
  try {
    if (message.kind === 'text') await handleText(message.text, attached);
    else await handleInput(message.bytes, attached.handle);
  } catch (thrown) {
    // The command's end is told by its output's end; what a client asked in vain, it is told.
    await socket.sendJson({ type: 'error', message: toWreckitError(thrown).message });
  }
}

async function handleInput(bytes: Buffer, handle: SessionHandle): Promise<void> {
  if (handle.tty) {
    if (bytes.length > 0) await handle.write(bytes);
  } else if (bytes[0] === FRAME.stdin) {
    if (bytes.length > 1) await handle.write(bytes.subarray(1));
  } else if (bytes[0] === FRAME.stdinEnd) {
    await handle.closeStdin();
  }
}

/** What isn't understood is left alone: clients of other versions say more than we know. */
async function handleText(text: string, { api, name, handle }: AttachedSession): Promise<void> {
  const message = SessionMessage.safeParse(parseJson(text));
  if (!message.success) return;
  switch (message.data.type) {
    case 'resize':
      if (handle.tty) await handle.resize({ cols: message.data.cols, rows: message.data.rows });
      return;
    case 'signal':
      await api.engine.killSession(name, handle.id, { name: signalName(message.data.signal), only: true });
  }
}

/** `TERM` and `sigterm` are `SIGTERM`. */
export function signalName(text: string): string {
  const upper = text.toUpperCase();
  return upper.startsWith('SIG') ? upper : `SIG${upper}`;
}
