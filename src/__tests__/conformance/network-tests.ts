import { expect } from 'bun:test';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { bytesOf } from './run-in.ts';
import { part, type Suite } from './suite.ts';

const WAIT = { timeoutMs: 20_000 };
const PORT = 7321;
/** Answers each line in capitals, and what was half closed with the whole. */
const SERVER = `require("node:net").createServer({allowHalfOpen:true},(s)=>{let all="";s.on("data",(d)=>{all+=d});s.on("end",()=>s.end(all.toUpperCase()))}).listen(${PORT},"127.0.0.1")`;

export function networkTests({ check, shared }: Suite): void {
  check('lists what listens in a sprite', ['ports', 'port-list'], async ({ engine }) => {
    const ports = part(engine.ports);
    const listening = async () => (await ports.list(shared)).find(({ port }) => port === PORT);
    expect(await listening()).toBeUndefined();
    await using handle = await engine.openSession(shared, { command: ['node', '-e', SERVER] });
    const seen = await eventually(listening, WAIT);
    expect([seen.address, seen.pid > 0]).toEqual(['127.0.0.1', true]);
    await engine.killSession(shared, handle.id, { graceMs: 0 });
    await eventually(async () => (await listening()) === undefined, WAIT);
  });

  check('connects to what listens in a sprite', ['ports', 'port-talk'], async ({ engine }) => {
    const ports = part(engine.ports);
    await using handle = await engine.openSession(shared, { command: ['node', '-e', SERVER] });
    const listening = async () => (await ports.list(shared)).find(({ port }) => port === PORT);
    await eventually(listening, WAIT);
    const talks = Array.from({ length: 5 }, async (_, index) => {
      const stream = await ports.connect(shared, { host: 'localhost', port: PORT });
      stream.end(`hello ${index}`);
      return (await bytesOf(stream)).toString();
    });
    // A client of the API can't half-close: what it is answered after its end may be cut.
    const answers = await Promise.all(talks);
    for (const [index, answer] of answers.entries()) expect(['', `HELLO ${index}`]).toContain(answer);
    await engine.killSession(shared, handle.id, { graceMs: 0 });
    await eventually(async () => (await listening()) === undefined, WAIT);
    const refused = await wreckitErrorOf(() => ports.connect(shared, { host: 'localhost', port: PORT }));
    expect(['CONFLICT', 'ENGINE_UNAVAILABLE']).toContain(refused.code);
  });

  check('tells when something begins and ceases to listen', ['ports', 'port-talk'], async ({ engine }) => {
    const ports = part(engine.ports);
    const stop = new AbortController();
    const lists: number[][] = [];
    const watching = (async () => {
      for await (const list of ports.watch(shared, { signal: stop.signal }))
        lists.push(list.map(({ port }) => port));
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    await eventually(() => lists.length > 0, WAIT);
    await using handle = await engine.openSession(shared, { command: ['node', '-e', SERVER] });
    await eventually(() => lists.at(-1)?.includes(PORT), WAIT);
    await engine.killSession(shared, handle.id, { graceMs: 0 });
    await eventually(() => lists.at(-1)?.includes(PORT) === false, WAIT);
    stop.abort();
    await watching;
  });

  check('keeps a policy, and says what is in force', ['policy'], async ({ engine }) => {
    const { network } = part(engine.policy);
    const policy = part(network);
    await engine.start({ name: 'policed', network: 'filtered', allow: ['example.com'] });
    expect(await policy.get('policed')).toEqual([{ domain: 'example.com', action: 'allow' }]);
    const rules = [
      { domain: '*.example.org', action: 'allow' },
      { domain: 'bad.example.org', action: 'deny' },
    ] as const;
    await policy.set('policed', rules);
    expect(await policy.get('policed')).toEqual([...rules]);
    expect((await engine.info('policed')).network).toBe('filtered');
    for (const domain of ['', 'a b', '10.0.0.1', '*.*', 'http://x'])
      expect([
        domain,
        (await wreckitErrorOf(() => policy.set('policed', [{ domain, action: 'allow' }]))).code,
      ]).toEqual([domain, 'USAGE']);
    expect(await policy.get('policed')).toEqual([...rules]);
    await policy.set('policed', []);
    expect(await policy.get('policed')).toEqual([]);
    await policy.set('policed', [{ domain: '*', action: 'allow' }]);
    expect(await policy.get('policed')).toEqual([{ domain: '*', action: 'allow' }]);
    expect(await policy.get(shared)).toEqual([]);
    await policy.set(shared, []);
    expect((await wreckitErrorOf(() => policy.set(shared, rules))).code).toBe('UNSUPPORTED');
    expect(await policy.get(shared)).toEqual([]);
    await engine.kill('policed');
  });
}
