/**
 * A small server of the Sprites API that does as it is told: the faults of real ones, one at a time. It has
 * none of the extensions of `wisp serve`, and no sprites: commands are scripts of frames.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface HttpScript {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, else JSON. */
  readonly body?: unknown;
  /** No answer at all: the connection is cut. */
  readonly cut?: boolean;
  /** The answer never comes. */
  readonly hang?: boolean;
}

export type SocketScript = (socket: WebSocket, asked: Asked) => void | Promise<void>;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  /** Everything that was asked, in order; WebSockets with the method `WS`. */
  readonly asked: Asked[];
  /** `GET /v1/sprites/demo`; a function sees what is asked, an array is used up one by one, its last for ever. */
  on(route: string, script: HttpScript | readonly HttpScript[] | ((asked: Asked) => HttpScript)): void;
  /** Of `WS /v1/…`; refused with an HTTP answer where it is no function. */
  onSocket(route: string, script: SocketScript | HttpScript | readonly (SocketScript | HttpScript)[]): void;
}

type Step = HttpScript | SocketScript;

export async function scriptedServer(): Promise<ScriptedServer> {
  const steps = new Map<string, Step[] | ((asked: Asked) => Step)>();
  const asked: Asked[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const streams = new Set<Duplex>();
  const stepFor = (call: Asked): Step => {
    const script = steps.get(`${call.method} ${call.path}`);
    if (typeof script === 'function') return script(call);
    const step = script === undefined || script.length <= 1 ? script?.[0] : script.shift();
    return step ?? { status: 404, body: { error: 'not found' } };
  };
  const server = createServer(async (request, response) => {
    const call = await askedOf(request, request.method ?? '');
    asked.push(call);
    const step = stepFor(call);
    if (typeof step !== 'function') answer(response, step);
  });
  server.on('connection', (stream) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  server.on('upgrade', async (request, stream, head) => {
    const call = await askedOf(request, 'WS');
    asked.push(call);
    const step = stepFor(call);
    if (typeof step !== 'function') return refuse(stream, step);
    sockets.handleUpgrade(request, stream, head, (socket) => void step(socket, call));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    on: (route, script) => {
      steps.set(route, typeof script === 'function' ? script : [script].flat());
    },
    onSocket: (route, script) => {
      steps.set(`WS ${route}`, [script].flat() as Step[]);
    },
    [Symbol.asyncDispose]: async () => {
      for (const stream of streams) stream.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function askedOf(request: IncomingMessage, method: string): Promise<Asked> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  let body = '';
  if (method !== 'WS') for await (const chunk of request) body += chunk;
  return { method, path: url.pathname, query: url.searchParams, headers: request.headers, body };
}

function answer(response: ServerResponse, { status = 200, headers = {}, body, cut, hang }: HttpScript): void {
  if (hang === true) return;
  if (cut === true) return void response.destroy();
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(text);
}

function refuse(stream: Duplex, { status = 404, headers = {}, body, cut, hang }: HttpScript): void {
  stream.on('error', () => undefined);
  if (hang === true) return;
  if (cut === true) return void stream.destroy();
  const text = JSON.stringify(body ?? { error: 'refused' });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.end(`HTTP/1.1 ${status} No\r\nContent-Length: ${text.length}\r\n${lines.join('')}\r\n${text}`);
}

export const frames = {
  info: (socket: WebSocket, id = '4711', more: object = {}): void =>
    socket.send(JSON.stringify({ type: 'session_info', session_id: id, command: 'x', tty: false, ...more })),
  stdout: (socket: WebSocket, text: string | Buffer): void =>
    socket.send(Buffer.concat([Buffer.of(1), Buffer.from(text)])),
  stderr: (socket: WebSocket, text: string): void =>
    socket.send(Buffer.concat([Buffer.of(2), Buffer.from(text)])),
  exit: (socket: WebSocket, code: number): void => socket.send(Buffer.of(3, code)),
};
