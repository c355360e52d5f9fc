import { describe, expect, test } from 'bun:test';
import { portChanges } from '../../api/port-changes.ts';
import { PortMessage, ProxyAnswer } from '../../api/schemas/ports.ts';
import { eventually } from '../helpers/eventually.ts';
import { newSprite, type ServedApi, servedApi } from './served-api.ts';
import { settled } from './settled.ts';

const SERVERS = `
  const net = require('net');
  net.createServer((c) => c.pipe(c)).listen(7001, '127.0.0.1');
  net.createServer((c) => c.end('bye')).listen(7002, '127.0.0.1');
  net.createServer((c) => c.pause()).listen(7003, '127.0.0.1');`;

async function withServers(api: ServedApi): Promise<string> {
  const at = await newSprite(api);
  await api.engine.openSession('demo', { command: ['node', '-e', SERVERS] });
  await eventually(async () => (await api.engine.ports?.list('demo'))?.length === 3, { timeoutMs: 20_000 });
  return at;
}

describe('proxy', () => {
  test('carries bytes to a port and back, and the end of either side', async () => {
    await using api = await servedApi();
    const at = await withServers(api);
    using echo = api.connect(`${at}/proxy`);
    await echo.opened;
    echo.sendJson({ host: '', port: 7001 });
    // Some clients don't wait for the answer.
    const sent = Buffer.alloc(3_000_000, 'abc');
    for (let start = 0; start < sent.length; start += 65_536)
      echo.ws.send(sent.subarray(start, start + 65_536));
    await eventually(() => echo.output().length === sent.length, { timeoutMs: 20_000 });
    expect(echo.output()).toBe(sent.toString());
    expect(ProxyAnswer.parse(echo.texts[0])).toEqual({ status: 'connected', target: 'localhost:7001' });
    echo.ws.close();
    await echo.closed;
    using bye = api.connect(`${at}/proxy`);
    await bye.opened;
    bye.sendJson({ host: 'localhost', port: 7002 });
    expect((await bye.closed).code).toBe(1000);
    expect(bye.output()).toBe('bye');
  });

  test('says why it is not connected', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const answer = async (first: unknown) => {
      using client = api.connect(`${at}/proxy`);
      await client.opened;
      client.ws.send(typeof first === 'string' ? first : JSON.stringify(first));
      await client.closed;
      return ProxyAnswer.parse(client.texts[0]);
    };
    expect(await answer({ host: 'localhost', port: 9 })).toMatchObject({
      status: 'error',
      target: 'localhost:9',
      error: expect.stringContaining('refused'),
    });
    for (const first of [
      'nonsense',
      {},
      { port: 0 },
      { port: 70_000 },
      { host: 'x y', port: 80 },
      { port: '80' },
    ]) {
      expect((await answer(first)).status).toBe('error');
    }
    using missing = api.connect('/v1/sprites/nosuch/proxy');
    await expect(missing.opened).rejects.toThrow('refused with 404');
  });

  test('holds back who sends more than the program takes, and forgets who leaves', async () => {
    await using api = await servedApi();
    const at = await withServers(api);
    using client = api.connect(`${at}/proxy`);
    await client.opened;
    client.sendJson({ port: 7003 });
    await eventually(() => client.texts.length === 1);
    for (let count = 0; count < 32; count += 1) client.ws.send(Buffer.alloc(1024 * 1024));
    expect(await settled(() => client.ws.bufferedAmount)).toBeGreaterThan(8 * 1024 * 1024);
    client.ws.terminate();
    using after = api.connect(`${at}/proxy`);
    await after.opened;
    after.sendJson({ port: 7002 });
    await after.closed;
    expect(after.output()).toBe('bye');
  });
});

describe('ports/watch', () => {
  test('sends the list first, then what changes', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    using client = api.connect(`${at}/ports/watch`);
    await eventually(() => client.texts.length === 1);
    expect(client.texts[0]).toEqual({ type: 'port_list', ports: [] });
    using command = api.connect(`${at}/exec?cmd=node&cmd=-e&cmd=${encodeURIComponent(SERVERS)}`);
    await eventually(() => client.texts.length === 4, { timeoutMs: 20_000 });
    await eventually(() => command.texts.filter(({ type }) => type === 'port_opened').length === 3);
    using later = api.connect(`${at}/ports/watch`);
    await eventually(() => later.texts.length === 1);
    expect(later.texts[0]).toMatchObject({
      ports: [{ type: 'port_opened', port: 7001, address: '127.0.0.1' }, { port: 7002 }, { port: 7003 }],
    });
    command.sendJson({ type: 'signal', signal: 'KILL' });
    await eventually(() => client.texts.filter(({ type }) => type === 'port_closed').length === 3);
    for (const text of client.texts) PortMessage.parse(text);
  });
});

test('portChanges() tells a port that another process took over as closed and opened', () => {
  const port = { port: 80, address: '::', pid: 1 };
  expect(portChanges([port], [{ ...port, pid: 2 }])).toEqual([
    { type: 'port_closed', ...port },
    { type: 'port_opened', ...port, pid: 2 },
  ]);
  expect(portChanges([port], [port])).toEqual([]);
});
