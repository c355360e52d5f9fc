import { expect, test } from 'bun:test';
import { eventually } from '../helpers/eventually.ts';
import { newSprite, servedApi, shellQuery } from './served-api.ts';

test('HTTP exec sends one frame per chunk, none above 32 KiB, the exit alone', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  const script = 'head -c 100000 /dev/zero | tr "\\\\0" x; echo err >&2; exit 5';
  const { status, headers, chunks } = await api.ask(`${at}/exec${shellQuery(script)}`, { method: 'POST' });
  expect(status).toBe(200);
  expect(headers['transfer-encoding']).toBe('chunked');
  const output = { 1: 0, 2: 0, 3: 0 };
  for (const chunk of chunks) {
    expect(chunk.length).toBeLessThanOrEqual(32 * 1024);
    output[chunk[0] as 1 | 2 | 3] += chunk.length - 1;
  }
  expect(output).toEqual({ 1: 100_000, 2: 4, 3: 1 });
  expect(chunks.at(-1)).toEqual(Buffer.of(3, 5));
});

test('HTTP exec gives the body as input, however long it is', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  const body = (async function* () {
    for (let count = 0; count < 64; count += 1) yield Buffer.alloc(100_000, count);
  })();
  const query = shellQuery('wc -c', { stdin: 'true' });
  const counted = await api.ask(`${at}/exec${query}`, { method: 'POST', body });
  expect(counted.body.toString('latin1')).toBe('\x016400000\n\x03\x00');
  const unread = await api.ask(`${at}/exec${shellQuery('echo no', { stdin: 'true' })}`, {
    method: 'POST',
    body: Buffer.alloc(3_000_000),
  });
  expect(unread.body.toString('latin1')).toBe('\x01no\n\x03\x00');
});

test('HTTP exec answers at once, while the command is still silent', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  const response = await api.open(`${at}/exec${shellQuery('read line; echo never')}`, { method: 'POST' });
  expect(response.statusCode).toBe(200);
  response.destroy();
  const held = await api.open(
    `${at}/exec${shellQuery('sleep 1000', { max_run_after_disconnect: '200ms' })}`,
    {
      method: 'POST',
    },
  );
  const runs = async () => (await api.engine.sessions('demo')).some(({ state }) => state === 'running');
  expect(await runs()).toBe(true);
  held.destroy();
  await eventually(async () => !(await runs()), { timeoutMs: 10_000 });
});

test('HTTP exec refuses what it cannot do', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  expect((await api.ask(`${at}/exec?cmd=true&tty=true`, { method: 'POST' })).status).toBe(400);
  expect((await api.ask('/v1/sprites/nosuch/exec?cmd=true', { method: 'POST' })).status).toBe(404);
});
