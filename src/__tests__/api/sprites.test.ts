import { describe, expect, test } from 'bun:test';
import type { z } from 'zod';
import {
  ApiSprite,
  CheckResult,
  Organization,
  RestartResult,
  SpriteEvent,
  SpriteList,
} from '../../api/schemas/sprites.ts';
import { snakeKeys } from '../../api/snake-keys.ts';
import { labelList, labelRecord } from '../../api/sprite-text.ts';
import { isObject } from '../../contract/json-value.ts';
import { eventually } from '../helpers/eventually.ts';
import { newSprite, type ServedApi, servedApi, shellQuery } from './served-api.ts';

async function page(api: ServedApi, query: string): Promise<z.output<typeof SpriteList>> {
  const { status, body } = await api.askJson('GET', `/v1/sprites${query}`);
  expect(status).toBe(200);
  return SpriteList.parse(body);
}

describe('sprites', () => {
  test('are made, shown, changed and removed', async () => {
    await using api = await servedApi();
    const made = await api.askJson('POST', '/v1/sprites', {
      name: 'demo',
      labels: ['plain', 'team=web'],
      environment: { GREETING: 'hello', camelCase: 'kept' },
      urlSettings: { auth: 'public' },
      config: { ramMB: 256, cpus: 1, region: 'ord', storageGB: 10 },
      waitForCapacity: true,
    });
    expect(made.status).toBe(201);
    expect(ApiSprite.parse(made.body)).toMatchObject({
      name: 'demo',
      status: 'running',
      labels: ['plain', 'team=web'],
      url_settings: { auth: 'public' },
      organization: 'local',
    });
    const env = await api.ask(`/v1/sprites/demo/exec${shellQuery('echo $GREETING $camelCase')}`, {
      method: 'POST',
    });
    expect(env.body.toString()).toContain('hello kept');
    expect(await api.askJson('GET', '/v1/sprites/demo')).toMatchObject({
      status: 200,
      body: { name: 'demo' },
    });
    const changed = await api.askJson('PUT', '/v1/sprites/demo', {
      labels: ['x'],
      url_settings: { auth: 'sprite' },
    });
    expect(ApiSprite.parse(changed.body)).toMatchObject({ labels: ['x'], url_settings: { auth: 'sprite' } });
    expect((await api.askJson('PUT', '/v1/sprites/demo', { clear_labels: true })).body).toMatchObject({
      labels: [],
    });
    expect((await api.askJson('DELETE', '/v1/sprites/demo')).status).toBe(204);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['PUT', ''],
      ['POST', '/restart'],
      ['POST', '/upgrade'],
      ['GET', '/check'],
      ['GET', '/exec'],
      ['GET', '/policy/network'],
      ['GET', '/checkpoints'],
    ] as const) {
      const gone = await api.askJson(method, `/v1/sprites/demo${path}`, method === 'PUT' ? {} : undefined);
      expect({ path, ...gone }).toMatchObject({ path, status: 404, body: { error: 'sprite_not_found' } });
    }
  });

  test('whose network lets nothing through are not told as unrestricted, which an empty list means here', async () => {
    await using api = await servedApi();
    const policy = (name: string) => `/v1/sprites/${name}/policy/network`;
    const rulesOf = async (name: string) => {
      const { body } = await api.askJson('GET', policy(name));
      return isObject(body) ? body.rules : body;
    };
    await newSprite(api);
    expect(await rulesOf('demo')).toEqual([{ domain: '*', action: 'deny' }]);
    await api.askJson('POST', '/v1/sprites', { name: 'ruled', network: 'filtered' });
    const set = (rules: unknown) => api.askJson('POST', policy('ruled'), { rules });
    await set([]);
    expect(await rulesOf('ruled')).toEqual([]);
    expect(await api.engine.policy?.network?.get('ruled')).toEqual([{ domain: '*', action: 'allow' }]);
    await set([{ domain: '*', action: 'deny' }]);
    expect(await rulesOf('ruled')).toEqual([{ domain: '*', action: 'deny' }]);
  });

  test('that exist, or have no valid name, are refused with a code', async () => {
    await using api = await servedApi();
    await newSprite(api);
    expect(await api.askJson('POST', '/v1/sprites', { name: 'demo' })).toMatchObject({
      status: 409,
      body: { error: 'sprite_exists', message: expect.stringContaining('demo'), hint: expect.any(String) },
    });
    for (const body of [{}, { name: 7 }, { name: '../x' }, { name: 'Demo' }, { name: '' }, [], 'x', null]) {
      expect(await api.askJson('POST', '/v1/sprites', body)).toMatchObject({ status: 400 });
    }
    for (const body of [
      { name: 'b', environment: { 'A B': '1' } },
      { name: 'b', environment: { A: '\0' } },
      { name: 'b', labels: ['a\nb'] },
      { name: 'b', labels: [''] },
      { name: 'b', config: { ram_mb: -1 } },
    ]) {
      expect(await api.askJson('POST', '/v1/sprites', body)).toMatchObject({
        status: 400,
        body: { error: 'usage' },
      });
    }
    const broken = await api.ask('/v1/sprites', { method: 'POST', body: '{"name":' });
    expect(broken.status).toBe(400);
    const large = await api.ask('/v1/sprites', { method: 'POST', body: Buffer.alloc(2_000_000, 32) });
    expect(large.status).toBe(413);
    expect((await api.engine.list()).map(({ name }) => name)).toEqual(['demo']);
  });

  test('made twice at once are one sprite and one refusal', async () => {
    await using api = await servedApi();
    const statuses = await Promise.all(
      [1, 2].map(async () => (await api.askJson('POST', '/v1/sprites', { name: 'twin' })).status),
    );
    expect(statuses.sort()).toEqual([201, 409]);
  });

  test('are listed in pages, with counters of all of them', async () => {
    await using api = await servedApi();
    for (const name of ['a-1', 'a-2', 'a-3', 'b-1']) await newSprite(api, name);
    await api.engine.stop('b-1');
    const first = await page(api, '?max_results=2&prefix=a-');
    expect(first).toMatchObject({
      has_more: true,
      running: 3,
      cold: 1,
      warm: 0,
      org: { running: 3, cold: 1 },
    });
    expect(first.sprites.map(({ name }) => name)).toEqual(['a-1', 'a-2']);
    const rest = await page(api, `?continuation_token=${first.next_continuation_token}`);
    expect(rest.sprites.map(({ name }) => name)).toEqual(['a-3', 'b-1']);
    // The last one of the page goes away: the next page still goes on after it.
    await api.engine.kill('a-2');
    const second = await page(api, `?prefix=a-&continuation_token=${first.next_continuation_token}`);
    expect(second.sprites.map(({ name }) => name)).toEqual(['a-3']);
    expect(second).toMatchObject({ has_more: false, next_continuation_token: null });
    expect((await page(api, '?max_results=100')).sprites).toHaveLength(3);
    expect((await page(api, '?prefix=..%2F')).sprites).toEqual([]);
    for (const query of [
      '?max_results=-1',
      '?max_results=x',
      '?continuation_token=zzz',
      '?continuation_token=..',
    ]) {
      expect((await api.ask(`/v1/sprites${query}`)).status).toBe(400);
    }
  });

  test('restart, check and upgrade as the real ones do', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec?cmd=sleep&cmd=1000`);
    await client.opened;
    expect(CheckResult.parse((await api.askJson('GET', `${at}/check`)).body)).toMatchObject({
      status: 'healthy',
    });
    expect((await api.askJson('POST', `${at}/upgrade`)).status).toBe(204);
    const restarted = await api.askJson('POST', `${at}/restart`);
    expect(RestartResult.parse(restarted.body)).toMatchObject({ sprite_name: 'demo' });
    await client.closed;
    expect((await api.engine.list())[0]?.state).toBe('running');
    expect(await api.askJson('GET', `${at}/exec`)).toEqual({ status: 200, body: { count: 0, sessions: [] } });
  });

  test('that change are told to who watches', async () => {
    await using api = await servedApi();
    const stream = await api.open('/v1/sprites?prefix=seen', { headers: { Accept: 'application/x-ndjson' } });
    expect(stream.headers['content-type']).toBe('application/x-ndjson');
    const lines: Record<string, unknown>[] = [];
    stream.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) lines.push(SpriteEvent.parse(JSON.parse(line)));
    });
    await eventually(() => lines.length === 1);
    await newSprite(api, 'unseen');
    await newSprite(api, 'seen-1');
    await eventually(() => lines.some(({ name, status }) => name === 'seen-1' && status === 'running'));
    await api.engine.stop('seen-1');
    await eventually(() => lines.some(({ name, status }) => name === 'seen-1' && status === 'cold'));
    await api.engine.kill('seen-1');
    const gone = await eventually(() => lines.find(({ type }) => type === 'deleted'));
    expect(Organization.parse(gone.org)).toMatchObject({ running: 1, cold: 0 });
    expect(lines.some(({ name }) => name === 'unseen')).toBe(false);
    stream.destroy();
  });
});

test('snakeKeys() maps every spelling to one, and leaves data alone', () => {
  expect(
    snakeKeys({ ramMB: 1, httpPort: 2, urlSettings: { auth: 'x' }, env: { fooBar: 1 }, a: [{ bC: 1 }] }, [
      'env',
    ]),
  ).toEqual({ ram_mb: 1, http_port: 2, url_settings: { auth: 'x' }, env: { fooBar: 1 }, a: [{ b_c: 1 }] });
});

test('labels are a list outside and pairs inside', () => {
  const labels = ['plain', 'team=web', 'a=b=c', '=odd'];
  expect(labelRecord(labels)).toEqual({ plain: '', team: 'web', a: 'b=c', '=odd': '' });
  expect(labelList(labelRecord(labels))).toEqual(labels);
});
