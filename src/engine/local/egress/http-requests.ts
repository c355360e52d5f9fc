/**
 * The HTTP side of the proxy (RFC 9110 §9.3.6, RFC 9112 §3.2.2): `CONNECT name:443` for TLS, and requests with an
 * absolute URL for plain HTTP, one per connection: what follows on it could be meant for another name.
 */
import type { Socket } from 'node:net';
import { type ByteReader, HeadTooLong, upTo } from './byte-reader.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { carry, tunnelTls } from './tunnel.ts';

const TLS_PORTS = [443];
const HTTP_PORTS = [80];
/** Between the client and the proxy only. */
const HOP_HEADERS = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'upgrade',
]);
/**
 * RFC 9110 §5.6.2, RFC 9112 §3 and §5. To the letter: where servers are lenient in ways of their own (a tab in the
 * request line, a header folded onto the line before it) they would read another target or Host than we did.
 */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\xff]+) HTTP\/1\.[01]$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t\x20-\x7e\x80-\xff]*$/;

export async function serveHttp(client: Socket, reader: ByteReader, gate: Gatekeeper): Promise<void> {
  let head: Buffer | null;
  try {
    head = await reader.take(upTo('\r\n\r\n'));
  } catch (error) {
    if (error instanceof HeadTooLong) return answer(client, 431, error.message);
    throw error;
  }
  if (head === null) {
    client.destroy();
    return;
  }
  const lines = head.toString('latin1').split('\r\n');
  const [, method, target] = REQUEST_LINE.exec(lines[0] ?? '') ?? [];
  if (method === undefined || target === undefined) return answer(client, 400, 'this is not HTTP/1');
  const headers = lines.slice(1, -2);
  if (!headers.every((line) => HEADER_LINE.test(line)))
    return answer(client, 400, 'a header of the request is malformed');
  if (method === 'CONNECT') return await serveConnect(client, target, reader, gate);
  await serveForward(client, { method, target, headers }, reader, gate);
}

async function serveConnect(
  client: Socket,
  target: string,
  reader: ByteReader,
  gate: Gatekeeper,
): Promise<void> {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(target) ?? [];
  const admission = await gate.admit({ host, port: Number(port) }, TLS_PORTS);
  if (!admission.isAllowed) return answer(client, 403, `${target}: ${admission.reason}`);
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  await tunnelTls(client, reader, { ...admission, port: Number(port) }, gate);
}

interface ForwardRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
}

async function serveForward(
  client: Socket,
  request: ForwardRequest,
  reader: ByteReader,
  gate: Gatekeeper,
): Promise<void> {
  const url = URL.canParse(request.target) ? new URL(request.target) : null;
  if (url?.protocol !== 'http:')
    return answer(client, 400, 'this is a proxy: give an absolute http URL, or CONNECT');
  const port = url.port === '' ? 80 : Number(url.port);
  const admission = await gate.admit({ host: url.hostname, port }, HTTP_PORTS);
  if (!admission.isAllowed) return answer(client, 403, `${url.host}: ${admission.reason}`);
  const kept = request.headers.filter(
    (line) => !HOP_HEADERS.has(line.slice(0, line.indexOf(':')).toLowerCase()),
  );
  const lines = [
    `${request.method} ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...kept,
    'Connection: close',
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  await carry(client, Buffer.concat([head, reader.rest()]), { ...admission, port }, gate);
}

function answer(client: Socket, status: number, message: string): void {
  const body = `wisp egress: ${message}\n`;
  client.end(
    `HTTP/1.1 ${status} ${status === 403 ? 'Forbidden' : 'Bad Request'}\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
