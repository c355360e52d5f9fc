/** Requests to the proxy that two readers would take for two different ones. Nothing here leaves this machine. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Gatekeeper } from '../../../engine/local/egress/gatekeeper.ts';
import { createProxy } from '../../../engine/local/egress/proxy-server.ts';
import { carry } from '../../../engine/local/egress/tunnel.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';

let dir: TempDir;
let gate: Gatekeeper;
let proxy: Server;

beforeEach(async () => {
  dir = tempDir();
  gate = new Gatekeeper({
    rules: () => [{ domain: 'allowed.test', action: 'allow' }],
    logFile: dir.join('verdicts.log'),
    // Never public, so that what is let through ends here, too, and is told from what was refused unread.
    resolve: async () => ['127.0.0.1'],
  });
  proxy = createProxy(gate).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});

afterEach(() => {
  proxy.close();
  dir[Symbol.dispose]();
});

async function answerTo(request: string): Promise<string> {
  const socket = connect((proxy.address() as AddressInfo).port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  socket.write(Buffer.from(request, 'latin1'));
  await once(socket, 'close');
  return said;
}

const HEAD = 'GET http://allowed.test/ HTTP/1.1\r\n';

describe('the proxy does not guess', () => {
  test('a plain request is judged by its name', async () => {
    expect(await answerTo(`${HEAD}Accept: */*\r\nX-Name: na\xefve\tvalue\r\n\r\n`)).toContain(
      '403 Forbidden',
    );
    expect(await answerTo(`${HEAD}\r\n`)).toContain('the name leads to a private address');
  });

  test.each([
    ['a target behind tabs', 'GET\thttp://denied.test/\tHTTP/1.1 http://allowed.test/ HTTP/1.1\r\n\r\n'],
    ['a method that is none', 'G(ET http://allowed.test/ HTTP/1.1\r\n\r\n'],
    ['words after the version', 'GET http://allowed.test/ HTTP/1.1 HTTP/1.1\r\n\r\n'],
    ['another version', 'GET http://allowed.test/ HTTP/2.0\r\n\r\n'],
    ['a first header folded onto Host', `${HEAD} denied.test\r\n\r\n`],
    ['a folded Host', `${HEAD}X: y\r\n Host: denied.test\r\n\r\n`],
    ['a space before the colon', `${HEAD}Host : denied.test\r\n\r\n`],
    ['a control character before the colon', `${HEAD}Host\x0b: denied.test\r\n\r\n`],
    ['a header without a colon', `${HEAD}Hostx\r\n\r\n`],
    ['a bare line feed', `${HEAD}X: y\nHost: denied.test\r\n\r\n`],
    ['a bare carriage return', `${HEAD}X: y\rHost: denied.test\r\n\r\n`],
    ['a NUL', `${HEAD}X: y\0\r\n\r\n`],
  ])('%s is refused unread', async (_, request) => {
    expect(await answerTo(request)).toStartWith('HTTP/1.1 400 ');
  });

  test.each([
    ['127.0.0.1:443', 'an address'],
    ['2130706433:443', 'an address'],
    ['0x7f000001:443', 'an address'],
    ['0177.0.0.1:443', 'an address'],
    ['127.1:443', 'an address'],
    ['[::1]:443', 'an address'],
    ['[::ffff:127.0.0.1]:443', 'an address'],
    ['127.0.0.1.:443', 'an address'],
    ['allowed.test..:443', 'an address'],
    ['allowed.test\xad:443', 'an address'],
    ['user@allowed.test:443', 'an address'],
    ['allowed.test#.denied.test:443', 'an address'],
    ['allowed.test:80', 'port 80'],
    ['allowed.test:00443', 'private address'],
    ['ALLOWED.test.:443', 'private address'],
    ['denied.test:443', 'no rule'],
    ['xallowed.test:443', 'no rule'],
    ['sub.allowed.test:443', 'no rule'],
    ['localhost:443', 'no rule'],
  ])('CONNECT %s: %s', async (target, reason) => {
    const answer = await answerTo(`CONNECT ${target} HTTP/1.1\r\n\r\n`);
    expect(answer).toStartWith('HTTP/1.1 403 ');
    expect(answer).toContain(reason);
  });

  test('the log has one line for each, whatever is in a name', async () => {
    await answerTo('CONNECT a\x9b2Jb:443 HTTP/1.1\r\n\r\n');
    const lines = readFileSync(dir.join('verdicts.log'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).reason)).toEqual(['an address, not a name']);
  });
});

test('`carry()` leaves no connection behind for a client that has gone', async () => {
  const sockets: Socket[] = [];
  const upstream = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.destroy();
  await once(client, 'close');
  await carry(client, Buffer.from('hello'), { name: 'allowed.test', address: '127.0.0.1', port }, gate);
  await eventually(() => sockets.length === 2 && sockets.every((socket) => socket.destroyed), {
    what: 'the end of both connections',
  });
  upstream.close();
});
