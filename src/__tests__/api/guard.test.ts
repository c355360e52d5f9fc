import { describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { hostName } from '../../api/guard.ts';
import { servedApi } from './served-api.ts';

/** Bytes on the wire, as no HTTP client would send them. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let got = '';
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
      if (got.includes('\r\n\r\n')) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

describe('a request', () => {
  test('without the right token is refused before it is routed, its body is read, or its path is looked at', async () => {
    await using api = await servedApi();
    for (const token of [null, 'wrong', `${api.token}x`, api.token.slice(0, -1), '']) {
      for (const path of [
        '/v1/sprites',
        '/nothing/here',
        '/openapi.json',
        '/v1/sprites/%ff',
        '//',
        '/v1/sprites/x/control',
      ]) {
        const { status, headers } = await api.ask(path, { token, method: 'POST', body: '{"name":' });
        expect({ path, status }).toEqual({ path, status: 401 });
        expect(headers['www-authenticate']).toContain('Bearer');
        expect(headers['sprite-version']).toBe('0.0.1-rc46');
      }
      using client = api.connect('/v1/sprites/x/exec', { headers: { Authorization: `Bearer ${token}` } });
      await expect(client.opened).rejects.toThrow('refused with 401');
    }
    expect((await api.ask('/v1/sprites')).status).toBe(200);
  });

  test('takes the token in any case of its scheme, and in no other place', async () => {
    await using api = await servedApi();
    const status = async (headers: Record<string, string>, path = '/v1/sprites') =>
      (await api.ask(path, { token: null, headers })).status;
    expect(await status({ Authorization: `bearer ${api.token}` })).toBe(200);
    expect(await status({ Authorization: api.token })).toBe(401);
    expect(await status({ Authorization: `Basic ${api.token}` })).toBe(401);
    expect(await status({ Cookie: `token=${api.token}` }, `/v1/sprites?token=${api.token}`)).toBe(401);
  });

  test('for another host, or from a web page, is refused even with the token', async () => {
    await using api = await servedApi();
    const { port } = new URL(api.url);
    const refusal = async (headers: Record<string, string>) => {
      const answer = await api.ask('/v1/sprites', { headers });
      return [answer.status, (answer.json() as { error: string }).error];
    };
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '[::2]',
      'localhost@evil.example',
    ]) {
      expect(await refusal({ Host: host })).toEqual([403, 'foreign_host']);
    }
    for (const Origin of ['https://evil.example', 'null', api.url, 'file://']) {
      expect(await refusal({ Origin })).toEqual([403, 'foreign_origin']);
    }
    expect(await refusal({ 'Sec-Fetch-Site': 'same-origin' })).toEqual([403, 'foreign_origin']);
    using client = api.connect('/v1/sprites/x/exec', { origin: 'https://evil.example' });
    await expect(client.opened).rejects.toThrow('refused with 403');
    for (const Host of ['localhost', `LOCALHOST:${port}`, `[::1]:${port}`, '127.0.0.1']) {
      expect((await api.ask('/v1/sprites', { headers: { Host } })).status).toBe(200);
    }
  });

  test('with two hosts, none, or a body of two lengths is refused', async () => {
    await using api = await servedApi();
    const port = Number(new URL(api.url).port);
    const auth = `Authorization: Bearer ${api.token}\r\n`;
    const status = async (text: string) => /^HTTP\/1\.1 (\d+)/.exec(await raw(port, text))?.[1];
    expect(await status(`GET /v1/sprites HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n${auth}\r\n`)).toBe(
      '400',
    );
    expect(await status(`GET /v1/sprites HTTP/1.1\r\n${auth}\r\n`)).toBe('400');
    expect(await status('GARBAGE\r\n\r\n')).toBe('400');
    expect(
      await status(
        `POST /v1/sprites HTTP/1.1\r\nHost: localhost\r\n${auth}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ),
    ).toBe('400');
    expect(await status(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)).toBe(
      '431',
    );
    expect(
      await status(`GET /v1/sprites HTTP/1.1\r\nHost: localhost\r\n${auth}Connection: close\r\n\r\n`),
    ).toBe('200');
  });

  test('over the unix socket needs no token, but may come from no web page', async () => {
    await using api = await servedApi();
    const ask = async (headers: Record<string, string>) =>
      (await api.ask('/v1/sprites', { overSocket: true, token: null, headers })).status;
    expect(await ask({})).toBe(200);
    expect(await ask({ Host: 'anything' })).toBe(200);
    expect(await ask({ Origin: 'https://evil.example' })).toBe(403);
  });
});

test('hostName() takes off port and brackets, and nothing else', () => {
  expect(['localhost:80', '[::1]:80', '[::1]', 'A.b', '::1', 'x:y', ''].map(hostName)).toEqual([
    'localhost',
    '::1',
    '::1',
    'a.b',
    ':',
    'x:y',
    '',
  ]);
});
