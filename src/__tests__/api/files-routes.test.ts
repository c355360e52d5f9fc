import { describe, expect, test } from 'bun:test';
import { request as httpRequest } from 'node:http';
import { resolveIn } from '../../api/file-path.ts';
import {
  ApiFileEntry,
  Copied,
  Deleted,
  FileListing,
  ModeChanged,
  OwnerChanged,
  Renamed,
  WatchMessage,
  Written,
} from '../../api/schemas/files.ts';
import { eventually } from '../helpers/eventually.ts';
import { newSprite, type ServedApi, servedApi } from './served-api.ts';

async function write(api: ServedApi, at: string, path: string, content: string | Buffer): Promise<void> {
  const { status, json } = await api.ask(`${at}/fs/write?path=${encodeURIComponent(path)}`, {
    method: 'PUT',
    body: content,
  });
  expect(status).toBe(200);
  Written.parse(json());
}

describe('files', () => {
  test('are written whole, read whole or in part, listed, moved, copied, changed and removed', async () => {
    await using api = await servedApi();
    const at = `${await newSprite(api)}/fs`;
    const post = (call: string, body: unknown) => api.askJson('POST', `${at}/${call}`, body);
    const sprite = at.replace('/fs', '');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await write(api, sprite, 'deep/a file ü.bin', bytes);
    const path = encodeURIComponent('/home/sprite/deep/a file ü.bin');
    expect((await api.ask(`${at}/read?path=${path}`)).body.equals(bytes)).toBe(true);
    const part = await api.ask(`${at}/read?path=${path}&start=10&end=20`);
    expect([part.status, part.body.equals(bytes.subarray(10, 20))]).toEqual([206, true]);

    const relative = await api.askJson(
      'PUT',
      `${at}/write?path=x.txt&workingDir=/home/sprite/deep&mode=755&mkdirParents=true`,
    );
    expect(relative).toMatchObject({
      status: 200,
      body: { path: '/home/sprite/deep/x.txt', size: 0, mode: '0755' },
    });
    const listing = FileListing.parse(
      (await api.askJson('GET', `${at}/list?path=deep&workingDir=/home/sprite`)).body,
    );
    expect(listing.entries.map(({ name, size, mode, isDir }) => [name, size, mode, isDir])).toEqual([
      ['a file ü.bin', 256, '0644', false],
      ['x.txt', 0, '0755', false],
    ]);
    const one = FileListing.parse((await api.askJson('GET', `${at}/list?path=deep/x.txt`)).body);
    expect(one.entries.map((entry) => ApiFileEntry.parse(entry).name)).toEqual(['x.txt']);

    const moved = await post('rename', { source: 'deep/x.txt', dest: 'y.txt', workingDir: '/home/sprite' });
    expect(Renamed.parse(moved.body)).toEqual({
      source: '/home/sprite/deep/x.txt',
      dest: '/home/sprite/y.txt',
    });
    const copied = await post('copy', {
      source: 'deep',
      dest: 'copy',
      workingDir: '/home/sprite',
      recursive: true,
    });
    expect(Copied.parse(copied.body)).toMatchObject({ count: 2, totalBytes: 256 });
    expect(
      ModeChanged.parse((await post('chmod', { path: 'copy', mode: '0700', recursive: true })).body).count,
    ).toBe(1);
    expect((await post('chown', { path: 'y.txt', uid: 0 })).status).toBe(403);
    const given = await post('chown', { path: 'y.txt', uid: 'root', gid: 0, asRoot: true });
    expect(OwnerChanged.parse(given.body)).toMatchObject({ affected: [{ uid: 'root', gid: 0 }] });
    const tree = FileListing.parse(
      (await api.askJson('GET', `${at}/list?path=copy&recursive=true&pattern=*.bin`)).body,
    );
    expect(tree.entries.map(({ path }) => path)).toEqual(['/home/sprite/copy/a file ü.bin']);
    expect((await api.askJson('DELETE', `${at}/delete?path=copy`)).body).toMatchObject({ code: 'ENOTEMPTY' });
    const removed = await api.askJson('DELETE', `${at}/delete?path=copy&recursive=true`);
    expect(Deleted.parse(removed.body)).toEqual({ deleted: ['/home/sprite/copy'], count: 1 });
  });

  test('that are in the way are named by errno, with the status of it', async () => {
    await using api = await servedApi();
    const at = `${await newSprite(api)}/fs`;
    const failure = async (method: string, path: string, body?: unknown) => {
      const answer = await api.askJson(method, `${at}/${path}`, body);
      const { code, error, path: named } = answer.body as Record<string, string>;
      expect(typeof error).toBe('string');
      return [answer.status, code, named];
    };
    expect(await failure('GET', 'read?path=/nosuch')).toEqual([404, 'ENOENT', '/nosuch']);
    expect(await failure('GET', 'list?path=/nosuch')).toEqual([404, 'ENOENT', '/nosuch']);
    expect(await failure('DELETE', 'delete?path=nosuch')).toEqual([404, 'ENOENT', 'nosuch']);
    expect(await failure('GET', 'read?path=/etc')).toEqual([400, 'EISDIR', '/etc']);
    expect((await failure('GET', 'read?path=/etc/shadow'))[0]).toBe(403);
    expect(await failure('GET', 'list?path=/etc/passwd/x')).toEqual([400, 'ENOTDIR', '/etc/passwd/x']);
    expect(await failure('PUT', 'write?path=/etc/mine')).toEqual([403, 'EACCES', '/etc/mine']);
    const large = { method: 'PUT', body: Buffer.alloc(5_000_000) };
    expect((await api.ask(`${at}/write?path=/etc/mine`, large)).status).toBe(403);
    expect(await failure('PUT', 'write?path=x&mode=rwx')).toEqual([400, 'EINVAL', 'x']);
    expect(await failure('GET', 'read?path=')).toEqual([400, 'EINVAL', '']);
    expect(await failure('GET', 'read?path=a%00b')).toEqual([400, 'EINVAL', 'a\0b']);
    const chmod = await failure('POST', 'chmod', { path: 'x', mode: '0644' });
    expect(chmod).toEqual([404, 'ENOENT', '/home/sprite/x']);
    const nobody = { path: '/tmp', uid: 'nobody-knows', asRoot: true };
    expect(await failure('POST', 'chown', nobody)).toEqual([400, 'EINVAL', '/tmp']);
    expect((await failure('POST', 'chown', { path: 'x' })).slice(0, 2)).toEqual([400, 'EINVAL']);
    expect((await failure('POST', 'copy', { source: '/etc', dest: 'x' })).slice(0, 2)).toEqual([
      400,
      'EISDIR',
    ]);
    expect((await api.ask(`${at}/write?path=x`, { method: 'POST', body: '' })).status).toBe(405);
    const missing = await api.askJson('GET', '/v1/sprites/nosuch/fs/read?path=x');
    expect(missing).toMatchObject({ status: 404, body: { code: 'SPRITE_NOT_FOUND' } });
  });

  test('outside the sprite are out of reach, by any path and through any link', async () => {
    await using api = await servedApi();
    const at = `${await newSprite(api)}/fs`;
    const host = `${process.env.HOME}/host-secret`;
    await Bun.write(host, 'secret of the host');
    for (const path of [
      host,
      `/../..${host}`,
      `../../../../..${host}`,
      `/proc/1/root${host}`,
      `/proc/self/root/..${host}`,
    ]) {
      const { status, body } = await api.ask(`${at}/read?path=${encodeURIComponent(path)}`);
      expect({ path, isRefused: status === 403 || status === 404 }).toEqual({ path, isRefused: true });
      expect(body.toString()).not.toContain('secret of the host');
    }
    await api.ask(`${at.replace('/fs', '')}/exec?cmd=ln&cmd=-s&cmd=${host}&cmd=link`, { method: 'POST' });
    await write(api, at.replace('/fs', ''), '/home/sprite/plain', 'x');
    expect((await api.ask(`${at}/read?path=link`)).status).toBe(404);
    expect(
      (await api.ask(`${at}/write?path=${host}&asRoot=true`, { method: 'PUT', body: 'changed' })).status,
    ).toBe(200);
    expect(await Bun.file(host).text()).toBe('secret of the host');
    await Bun.file(host).delete();
  });

  test('sent by a client that leaves half-way are not there afterwards', async () => {
    await using api = await servedApi();
    const at = `${await newSprite(api)}/fs`;
    const { port } = new URL(api.url);
    const sending = httpRequest({
      host: '127.0.0.1',
      port,
      method: 'PUT',
      path: `${at}/write?path=half`,
      headers: { Authorization: `Bearer ${api.token}`, 'Content-Length': '200000' },
    });
    sending.on('error', () => undefined);
    sending.write(Buffer.alloc(100_000));
    const names = async () =>
      FileListing.parse((await api.askJson('GET', `${at}/list?path=.`)).body).entries.map(({ name }) => name);
    await eventually(async () => (await names()).some((name) => name.startsWith('.wisp-')), {
      timeoutMs: 10_000,
    });
    sending.destroy();
    await eventually(async () => !(await names()).some((name) => name.startsWith('.wisp-')), {
      timeoutMs: 10_000,
    });
    expect(await names()).not.toContain('half');
  });
});

describe('fs/watch', () => {
  test('tells changes from the moment it says that it is subscribed', async () => {
    await using api = await servedApi();
    const sprite = await newSprite(api);
    using client = api.connect(`${sprite}/fs/watch`);
    await client.opened;
    client.sendJson({ type: 'subscribe', paths: ['.'], recursive: true, workingDir: '/home/sprite' });
    await eventually(() => client.texts.some(({ type }) => type === 'subscribed'));
    await write(api, sprite, 'sub/new.txt', '12345');
    const isNew = ({ path, event }: Record<string, unknown>) =>
      path === '/home/sprite/sub/new.txt' && event === 'create';
    await eventually(() => client.texts.some(isNew), { timeoutMs: 10_000 });
    expect(client.texts.find(isNew)).toMatchObject({ type: 'event', size: 5, isDir: false });
    await api.ask(`${sprite}/fs/delete?path=sub&recursive=true`, { method: 'DELETE' });
    await eventually(
      () => client.texts.some(({ path, event }) => path === '/home/sprite/sub' && event === 'remove'),
      { timeoutMs: 10_000 },
    );
    for (const text of client.texts) WatchMessage.parse(text);
  });

  test('says what is wrong with what it is asked, and goes on', async () => {
    await using api = await servedApi();
    const sprite = await newSprite(api);
    using client = api.connect(`${sprite}/fs/watch`);
    await client.opened;
    const errors = () => client.texts.filter(({ type }) => type === 'error').length;
    for (const [index, message] of [
      'nonsense',
      '{}',
      '{"type":"subscribe","paths":[]}',
      '{"type":"subscribe","paths":["a\\u0000b"]}',
    ].entries()) {
      client.ws.send(message);
      await eventually(() => errors() === index + 1);
    }
    client.sendJson({ type: 'subscribe', paths: ['/home/sprite/later'] });
    await eventually(() => client.texts.some(({ type }) => type === 'subscribed'));
    await write(api, sprite, 'later', '');
    await eventually(() => client.texts.some(({ event }) => event === 'create'), { timeoutMs: 10_000 });
    using missing = api.connect('/v1/sprites/nosuch/fs/watch');
    await expect(missing.opened).rejects.toThrow('refused with 404');
  });
});

test('resolveIn() joins text and nothing more', () => {
  expect([
    resolveIn('/a', '/b'),
    resolveIn('/a/', 'b'),
    resolveIn('/', 'b'),
    resolveIn(null, 'b'),
    resolveIn('', '../b'),
    resolveIn('rel', 'b'),
  ]).toEqual(['/b', '/a/b', '/b', '/home/sprite/b', '/home/sprite/../b', '/home/sprite/rel/b']);
});
