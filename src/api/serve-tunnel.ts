/**
 * `proxy`: the first message of the client names the target, then bytes go both ways. There is no half-close on
 * the wire: the sprite's end of file closes the WebSocket, the client's closing ends the sprite's connection.
 */
import type { Duplex } from 'node:stream';
import type { PortOps } from '../engine/engine.ts';
import { toWreckitError } from '../errors.ts';
import { type ApiSocket, CLOSE, type SocketMessage } from './api-socket.ts';
import { parseJson } from './parse-json.ts';
import { ProxyRequest } from './schemas/ports.ts';

/** Clients wait ten seconds for the answer. */
const CONNECT_TIMEOUT_MS = 9_000;
const FIRST_MESSAGE_TIMEOUT_MS = 30_000;
/** How long a program that was sent the end of file may take to end its side. */
const LINGER_MS = 5_000;

export async function serveTunnel(socket: ApiSocket, ports: PortOps, name: string): Promise<void> {
  const first = new Promise<SocketMessage | null>((resolve) => {
    const late = setTimeout(() => resolve(null), FIRST_MESSAGE_TIMEOUT_MS);
    const settle = (message: SocketMessage | null): void => {
      clearTimeout(late);
      resolve(message);
    };
    socket.closing.addEventListener('abort', () => settle(null), { once: true });
    socket.receive(async (message) => {
      settle(message);
      const stream = await connected;
      if (stream !== null && message !== (await first)) await writeTo(stream, message);
    });
  });
  const connected = first.then((message) =>
    message === null ? null : connect(socket, ports, name, message),
  );
  const stream = await connected;
  if (stream === null) {
    return await socket.close((await first) === null ? CLOSE.protocol : CLOSE.normal, 'not connected');
  }
  try {
    const isWhole = await pump(stream, socket);
    await socket.close(isWhole ? CLOSE.normal : CLOSE.internal);
  } finally {
    release(stream);
  }
}

async function connect(
  socket: ApiSocket,
  ports: PortOps,
  name: string,
  message: SocketMessage,
): Promise<Duplex | null> {
  const text = message.kind === 'text' ? message.text : message.bytes.toString('utf8');
  const request = ProxyRequest.safeParse(parseJson(text));
  if (!request.success) {
    await socket.sendJson({ status: 'error', target: '', error: 'the first message is no {"host", "port"}' });
    return null;
  }
  const { port } = request.data;
  const host = request.data.host || 'localhost';
  const target = `${host}:${port}`;
  try {
    const signal = AbortSignal.any([socket.closing, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    const stream = await ports.connect(name, { host, port }, { signal });
    // A reset shows where it is read; without a listener it would end the process.
    stream.on('error', () => undefined);
    await socket.sendJson({ status: 'connected', target });
    return stream;
  } catch (thrown) {
    await socket.sendJson({ status: 'error', target, error: toWreckitError(thrown).message });
    return null;
  }
}

/** Until the sprite's end of file, or the client is gone; false: the connection broke. */
async function pump(stream: Duplex, socket: ApiSocket): Promise<boolean> {
  const onClosing = (): void => void stream.end(() => stream.destroy());
  socket.closing.addEventListener('abort', onClosing, { once: true });
  try {
    for await (const chunk of stream) {
      if (!(await socket.sendBytes(chunk))) return true;
    }
    return true;
  } catch {
    return socket.closing.aborted;
  } finally {
    socket.closing.removeEventListener('abort', onClosing);
  }
}

function release(stream: Duplex): void {
  stream.end();
  stream.resume();
  const timer = setTimeout(() => stream.destroy(), LINGER_MS);
  timer.unref();
  stream.once('close', () => clearTimeout(timer));
}

function writeTo(stream: Duplex, message: SocketMessage): Promise<void> {
  if (message.kind !== 'bytes' || !stream.writable) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('close', done);
      resolve();
    };
    stream.once('close', done);
    stream.write(message.bytes, done);
  });
}
