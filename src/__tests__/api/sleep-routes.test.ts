/** Sprites that sleep, as clients of the API see them. */
import { expect, test } from 'bun:test';
import { PortMessage, ProxyAnswer } from '../../api/schemas/ports.ts';
import { TaskList } from '../../api/schemas/tasks.ts';
import type { SleepSettings } from '../../engine/engine.ts';
import { describeAsRoot } from '../helpers/as-root.ts';
import { eventually } from '../helpers/eventually.ts';
import { newSprite, type ServedApi, servedApi, shellQuery } from './served-api.ts';

const GENEROUS = { timeoutMs: 30_000 };
const ECHO = `require('net').createServer((c) => c.pipe(c)).listen(7000, '127.0.0.1')`;

function sleeping(api: ServedApi, settings: SleepSettings): AsyncDisposable {
  const stop = new AbortController();
  const watching = api.engine.sleep?.watch(settings, { signal: stop.signal });
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}

async function statusOf(api: ServedApi): Promise<unknown> {
  const { body } = await api.askJson('GET', '/v1/sprites/demo');
  return (body as { status?: unknown }).status;
}

const untilStatus = (api: ServedApi, status: string) =>
  eventually(async () => (await statusOf(api)) === status, { ...GENEROUS, what: status });

/** One connection through the proxy, and what it echoes. */
async function echoed(api: ServedApi, at: string, text: string): Promise<string> {
  using client = api.connect(`${at}/proxy`);
  await client.opened;
  client.sendJson({ host: 'localhost', port: 7000 });
  await eventually(() => client.texts.length === 1, GENEROUS);
  expect(ProxyAnswer.parse(client.texts[0])).toMatchObject({ status: 'connected' });
  client.ws.send(Buffer.from(text));
  await eventually(() => client.output().length >= text.length, GENEROUS);
  client.ws.close();
  await client.closed;
  return client.output();
}

describeAsRoot('a sprite of the API', () => {
  test('is warm when idle, seen by get, list and watch without being woken, and wakes for each call', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const session = await api.engine.openSession('demo', { command: ['node', '-e', ECHO] });
    await session[Symbol.asyncDispose]();
    await eventually(async () => (await api.engine.ports?.list('demo'))?.length === 1, GENEROUS);
    const events = await api.open('/v1/sprites', { headers: { accept: 'application/x-ndjson' } });
    let told = '';
    events.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    await eventually(() => told.includes('heartbeat'), GENEROUS);
    await using _sleeping = sleeping(api, { warmAfterMs: 400, coldAfterMs: null });
    await untilStatus(api, 'warm');
    await eventually(() => told.includes('"status":"warm"'), GENEROUS);
    using ports = api.connect(`${at}/ports/watch`);
    await eventually(() => ports.texts.length === 1, GENEROUS);
    expect(PortMessage.parse(ports.texts[0])).toMatchObject({ ports: [{ port: 7000 }] });
    const { body } = await api.askJson('GET', '/v1/sprites');
    expect(body).toMatchObject({ running: 0, warm: 1, cold: 0 });
    expect((await api.askJson('GET', `${at}/check`)).body).toMatchObject({ status: 'healthy' });
    expect(await statusOf(api)).toBe('warm');
    const calls: Record<string, () => Promise<unknown>> = {
      proxy: () => echoed(api, at, 'through'),
      exec: async () => {
        using client = api.connect(`${at}/exec${shellQuery('echo woken')}`);
        await client.closed;
        return client.output(1);
      },
      'http exec': async () => (await api.ask(`${at}/exec?cmd=true`, { method: 'POST' })).status,
      'fs/list': async () => (await api.ask(`${at}/fs/list?path=/home/sprite`)).status,
      attach: async () => {
        using client = api.connect(`${at}/exec/${session.id}`);
        await eventually(() => client.texts.length > 0, GENEROUS);
        return client.texts[0]?.type;
      },
    };
    const answers: Record<string, unknown> = {};
    for (const [what, call] of Object.entries(calls)) {
      await untilStatus(api, 'warm');
      answers[what] = await call();
    }
    expect(answers).toEqual({
      proxy: 'through',
      exec: 'woken\n',
      'http exec': 200,
      'fs/list': 200,
      attach: 'session_info',
    });
    events.destroy();
  }, 90_000);

  test('that became cold is up for a connection, with the service it leads to', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const spec = { command: ['node', '-e', ECHO], needs: [], httpPort: 7000 };
    await api.engine.services?.put('demo', 'echo', spec);
    await eventually(async () => (await api.engine.ports?.list('demo'))?.length === 1, GENEROUS);
    await using _sleeping = sleeping(api, { warmAfterMs: 200, coldAfterMs: 800 });
    await untilStatus(api, 'cold');
    expect(await echoed(api, at, 'from cold')).toBe('from cold');
  }, 90_000);

  test('stays awake while a client is attached, a tunnel open or a task there', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    await using _sleeping = sleeping(api, { warmAfterMs: 300, coldAfterMs: null });
    await untilStatus(api, 'warm');
    {
      using client = api.connect(
        `${at}/exec${shellQuery('echo here; sleep 600', { max_run_after_disconnect: '0' })}`,
      );
      await eventually(() => client.output(1) === 'here\n', GENEROUS);
      await Bun.sleep(1_500);
      expect(await statusOf(api)).toBe('running');
    }
    await untilStatus(api, 'warm');
    expect((await api.askJson('POST', `${at}/tasks`, { name: 'build', expire: 60 })).status).toBe(201);
    // It keeps awake; it does not wake.
    expect(await statusOf(api)).toBe('warm');
    await api.ask(`${at}/exec?cmd=true`, { method: 'POST' });
    await Bun.sleep(1_500);
    expect(await statusOf(api)).toBe('running');
    expect((await api.askJson('DELETE', `${at}/tasks/build`)).status).toBe(204);
    await untilStatus(api, 'warm');
  }, 60_000);
});

test('tasks are made, listed, prolonged and ended, and nonsense is refused', async () => {
  await using api = await servedApi();
  const at = `${await newSprite(api)}/tasks`;
  const made = await api.askJson('POST', at, { name: 'build', expire: '10m' });
  expect([made.status, (made.body as { name: string }).name]).toEqual([201, 'build']);
  expect((await api.askJson('POST', at, { name: 'build', expire: 5 })).status).toBe(409);
  const later = await api.askJson('PUT', `${at}/build`, { expire: '1h' });
  expect(later.status).toBe(200);
  const { tasks } = TaskList.parse((await api.askJson('GET', at)).body);
  expect(tasks.map(({ name }) => name)).toEqual(['build']);
  const leftMs = Date.parse(tasks[0]?.expires_at ?? '') - Date.now();
  expect(Math.round(leftMs / 60_000)).toBe(60);
  expect((await api.askJson('DELETE', `${at}/build`)).status).toBe(204);
  expect((await api.askJson('DELETE', `${at}/build`)).status).toBe(404);
  for (const body of [
    { name: 'x' },
    { name: 'x', expire: 'soon' },
    { name: '../x', expire: 5 },
    { name: 'x', expire: '25h' },
  ])
    expect((await api.askJson('POST', at, body)).status).toBe(400);
  expect((await api.askJson('GET', '/v1/sprites/nosuch/tasks')).status).toBe(404);
});
