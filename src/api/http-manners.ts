/** What every answer has in common, and how those are turned away who never get to a route. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Of the real service; clients choose the present forms of calls for it. */
const SPRITE_VERSION = '0.0.1-rc46';
const UNREAD_BODY_MS = 2_000;

/**
 * What this server does beyond the API, for clients that ask: a network in `create`; a user and a time limit in
 * `exec`, variables added to those of the sprite, output from an offset; ended sessions in their list.
 */
const EXTENSIONS = [
  'create-network',
  'exec-user',
  'exec-timeout',
  'exec-env',
  'exec-offset',
  'sessions-ended',
];

export const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'Sprite-Version': SPRITE_VERSION,
  'X-Sprite-Capabilities': 'signal',
  'Wisp-Extensions': EXTENSIONS.join(', '),
  'X-Content-Type-Options': 'nosniff',
};

/** The path as it was sent: nothing in it is resolved. */
export function urlOf({ url = '/' }: IncomingMessage): { pathname: string; searchParams: URLSearchParams } {
  const at = url.indexOf('?');
  const pathname = at === -1 ? url : url.slice(0, at);
  return { pathname, searchParams: new URLSearchParams(at === -1 ? '' : url.slice(at + 1)) };
}

/** A refused client may go on sending its body: it gets a moment to read the answer. */
export function letGo(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), UNREAD_BODY_MS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
  request.resume();
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A text is sent as it is, anything else as JSON. */
  readonly body: unknown;
}

/** A plain answer in place of a handshake. */
export function refuseUpgrade(stream: Duplex, { status, headers, body }: PlainAnswer): void {
  if (!stream.writable) return;
  const text = Buffer.from(textOf(body));
  const all = {
    ...COMMON_HEADERS,
    ...headers,
    'Content-Type': contentTypeOf(body),
    'Content-Length': String(text.length),
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${lines.join('')}\r\n`);
  stream.end(text, () => stream.destroy());
}

export function textOf(body: unknown): string {
  return typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
}

export function contentTypeOf(body: unknown): string {
  return typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
}

/** What is no HTTP, or too much of it. */
export function refuseGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const status = STATUS_OF_GARBAGE[error.code ?? ''] ?? 400;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const STATUS_OF_GARBAGE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
