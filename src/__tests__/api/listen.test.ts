import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { pino } from 'pino';
import { isLoopback, listenOnSocket, parseListenAddress } from '../../api/listen.ts';
import { serveApi } from '../../api/serve-api.ts';
import { ensureTokenFile } from '../../api/token-file.ts';
import { localEngine } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const log = pino({ level: 'silent' });

describe('the unix socket', () => {
  test('is open to nobody else, in a directory of its own, and goes with the server', async () => {
    using dir = tempDir();
    await using local = localEngine();
    const socket = dir.join('run', 'api.sock');
    const serving = await serveApi({ engine: local.engine, log, socket, tcp: null });
    expect(lstatSync(socket).mode & 0o777).toBe(0o600);
    expect(lstatSync(dir.join('run')).mode & 0o777).toBe(0o700);
    await serving.end();
    expect(readdirSync(dir.join('run'))).toEqual([]);
  });

  test('has one server at a time; what a dead one left is taken over', async () => {
    using dir = tempDir();
    await using local = localEngine();
    const options = { engine: local.engine, log, socket: dir.join('api.sock'), tcp: null };
    // A socket nobody listens on, and a lock of a process that is gone.
    const dead = createServer();
    const left = await listenOnSocket(dead, options.socket);
    dead.close();
    writeFileSync(
      `${options.socket}.lock`,
      JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1', bootId: 'x' }),
    );
    const first = await serveApi(options);
    await expect(serveApi(options)).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { pid: process.pid },
    });
    left[Symbol.dispose]();
    expect(existsSync(options.socket)).toBe(true);
    await first.end();
    await (await serveApi(options)).end();
  });

  test('is not made where others could put another in its place, or where its path is too long', async () => {
    using dir = tempDir();
    await using local = localEngine();
    const serve = (socket: string) => serveApi({ engine: local.engine, log, socket, tcp: null });
    mkdirSync(dir.join('open'));
    chmodSync(dir.join('open'), 0o777);
    await expect(serve(dir.join('open', 's'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    chmodSync(dir.join('open'), 0o1777);
    await (await serve(dir.join('open', 's'))).end();
    await expect(serve(dir.join('x'.repeat(120)))).rejects.toMatchObject({ code: 'USAGE' });
    writeFileSync(dir.join('file'), '');
    await expect(serve(dir.join('file', 's'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    expect(readdirSync(dir.path).sort()).toEqual(['file', 'open']);
  });
});

describe('the TCP port', () => {
  test('that is taken is a conflict, and leaves no socket behind', async () => {
    using dir = tempDir();
    await using local = localEngine();
    const options = (name: string, port: number) => ({
      engine: local.engine,
      log,
      socket: dir.join(name),
      tcp: { address: { host: '127.0.0.1', port }, token: 'a'.repeat(20), hosts: [] },
    });
    const first = await serveApi(options('a', 0));
    const port = Number(new URL(first.url ?? '').port);
    await expect(serveApi(options('b', port))).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(readdirSync(dir.path).sort()).toEqual(['a', 'a.lock']);
    await first.end();
  });

  test('is given as host and port', () => {
    expect(parseListenAddress('127.0.0.1:80')).toEqual({ host: '127.0.0.1', port: 80 });
    expect(parseListenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 });
    for (const text of ['80', ':80', '::1:80', 'a:b', 'a:70000', '', 'a:1:2', '[x]:1']) {
      expect(() => parseListenAddress(text)).toThrow('is not an address');
    }
    expect(
      ['127.9.9.9', '::1', 'localhost', '0.0.0.0', '128.0.0.1', 'example.com', '127.evil'].map(isLoopback),
    ).toEqual([true, true, true, false, false, false, false]);
  });
});

describe('ensureTokenFile()', () => {
  test('makes a token nobody else can read, once', () => {
    using dir = tempDir();
    const path = dir.join('below', 'token');
    const made = ensureTokenFile(path);
    expect(made).toMatchObject({ path, isNew: true });
    expect(made.token.length).toBeGreaterThan(40);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(ensureTokenFile(path)).toEqual({ path, token: made.token, isNew: false });
    expect(readdirSync(dir.join('below'))).toEqual(['token']);
  });

  test.each([
    ['others can read it', 'long-enough-token', 0o640],
    ['it holds no token', '', 0o600],
    ['it holds no token', 'short', 0o600],
    ['it holds no token', 'with a space in the middle', 0o600],
    ['it holds no token', 'two-lines-of-text\nand-more', 0o600],
    ['longer than', 'x'.repeat(5000), 0o600],
  ])('refuses a file: %s', (problem, content, mode) => {
    using dir = tempDir();
    writeFileSync(dir.join('token'), content, { mode });
    expect(() => ensureTokenFile(dir.join('token'))).toThrow(problem);
  });

  test('follows no link', () => {
    using dir = tempDir();
    writeFileSync(dir.join('real'), 'long-enough-token', { mode: 0o600 });
    symlinkSync(dir.join('real'), dir.join('token'));
    expect(() => ensureTokenFile(dir.join('token'))).toThrow('not a regular file');
  });
});
