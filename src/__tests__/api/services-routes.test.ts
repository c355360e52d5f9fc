import { expect, test } from 'bun:test';
import { z } from 'zod';
import { ApiService, ApiServiceEvent } from '../../api/schemas/services.ts';
import type { SpriteEngine } from '../../engine/engine.ts';
import { localEngine } from '../helpers/local-sprite.ts';
import { MemoryServices } from './memory-services.ts';
import { type ServedApi, servedApi } from './served-api.ts';

/** The engine of this machine, with services that only pretend. */
function withServices(engine: SpriteEngine, services: MemoryServices): SpriteEngine {
  return new Proxy(engine, {
    get: (target, key) => {
      if (key === 'services') return services;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function lines(api: ServedApi, method: string, path: string, body?: unknown) {
  const answer = await api.ask(`/v1/sprites/demo/services${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = answer.body.toString().trim();
  const isStream = answer.headers['content-type'] === 'application/x-ndjson';
  return {
    status: answer.status,
    events: isStream ? text.split('\n').map((line) => ApiServiceEvent.parse(JSON.parse(line))) : [],
  };
}

test('services are declared, watched, signalled and removed, in either spelling', async () => {
  await using local = localEngine();
  const services = new MemoryServices();
  await using api = await servedApi({}, { engine: withServices(local.engine, services) });
  await api.askJson('POST', '/v1/sprites', { name: 'demo' });
  const types = ({ events }: { events: { type: string }[] }) => events.map(({ type }) => type);

  const declared = await lines(api, 'PUT', '/web?duration=100ms', {
    cmd: 'node',
    args: ['server.js'],
    env: { camelCase: 'kept' },
    dir: 'app',
    needs: ['db'],
    httpPort: 3000,
  });
  expect(types(declared)).toEqual(['stdout', 'complete']);
  expect(declared.events.at(-1)?.log_files).toEqual({
    stdout: '/logs/stdout.log',
    stderr: '/logs/stderr.log',
    combined: '/logs',
  });
  expect(services.specs.get('web')).toEqual({
    command: ['node', 'server.js'],
    env: { camelCase: 'kept' },
    dir: '/home/sprite/app',
    needs: ['db'],
    httpPort: 3000,
  });
  const list = await api.askJson('GET', '/v1/sprites/demo/services');
  expect(z.array(ApiService).parse(list.body)).toMatchObject([
    { name: 'web', http_port: 3000, state: { status: 'running', pid: 7 } },
  ]);
  expect((await lines(api, 'PUT', '/other', { cmd: 'x', http_port: 80 })).status).toBe(409);

  expect(types(await lines(api, 'POST', '/web/start?duration=0s'))).toEqual([
    'started',
    'stdout',
    'complete',
  ]);
  expect((await lines(api, 'GET', '/web/logs?lines=1')).events.map(({ data }) => data)).toEqual([
    'serving\n',
    undefined,
  ]);
  const stopped = await lines(api, 'POST', '/web/stop?timeout=3s');
  expect(types(stopped)).toEqual(['stopping', 'exit', 'stopped', 'complete']);
  expect(stopped.events[1]).toMatchObject({ exit_code: 3000, timestamp: 4 });
  expect((await lines(api, 'POST', '/web/stop')).status).toBe(409);
  const state = (await api.askJson('GET', '/v1/sprites/demo/services/web')).body as { state: object };
  expect(Object.keys(state.state).sort()).toEqual(['name', 'restart_count', 'status']);
  expect(
    (await api.askJson('POST', '/v1/sprites/demo/services/signal', { name: 'web', signal: 'HUP' })).status,
  ).toBe(409);
  await lines(api, 'POST', '/web/restart?duration=0');
  expect(
    (await api.askJson('POST', '/v1/sprites/demo/services/signal', { name: 'web', signal: 'HUP' })).status,
  ).toBe(204);
  expect(services.signals).toEqual(['SIGHUP']);
  for (const [body, status] of [
    [{ name: 'web', signal: 'NOSUCH' }, 400],
    [{ name: 'nosuch', signal: 'HUP' }, 404],
    [{ signal: 'HUP' }, 400],
  ] as const) {
    expect((await api.askJson('POST', '/v1/sprites/demo/services/signal', body)).status).toBe(status);
  }
  expect((await api.askJson('DELETE', '/v1/sprites/demo/services/web')).status).toBe(204);
  expect((await api.askJson('DELETE', '/v1/sprites/demo/services/web')).status).toBe(404);
  for (const path of ['/nosuch/start', '/nosuch/stop', '/nosuch/restart']) {
    expect((await lines(api, 'POST', path)).status).toBe(404);
  }
  for (const body of [{}, { cmd: '' }, { cmd: 'x', env: { 'A B': '1' } }, { cmd: 'x', http_port: 70_000 }]) {
    expect((await lines(api, 'PUT', '/bad', body)).status).toBe(400);
  }
  expect((await lines(api, 'PUT', '/signal', { cmd: 'x' })).status).toBe(400);
});

test('an engine without services says so, with a code of its own', async () => {
  await using local = localEngine();
  const none = new Proxy(local.engine, {
    get: (target, key) => {
      if (['services', 'checkpoints', 'policy', 'ports'].includes(String(key))) return undefined;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await using api = await servedApi({}, { engine: none });
  await api.askJson('POST', '/v1/sprites', { name: 'demo' });
  for (const [method, path] of [
    ['GET', 'services'],
    ['POST', 'services/web/start'],
    ['POST', 'checkpoint'],
    ['GET', 'checkpoints'],
    ['GET', 'policy/network'],
    ['DELETE', 'policy/resources'],
  ] as const) {
    expect(await api.askJson(method, `/v1/sprites/demo/${path}`)).toMatchObject({
      status: 501,
      body: { error: 'unsupported', message: expect.any(String) },
    });
  }
  for (const path of ['proxy', 'ports/watch']) {
    using client = api.connect(`/v1/sprites/demo/${path}`);
    await expect(client.opened).rejects.toThrow('refused with 501');
  }
});
