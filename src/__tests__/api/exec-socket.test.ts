import { describe, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecFrame } from '../../api/schemas/exec.ts';
import { eventually } from '../helpers/eventually.ts';
import { BROKEN_FRAMES, closeCodeFor } from './broken-frames.ts';
import {
  type Answer,
  type ApiClient,
  newSprite,
  type ServedApi,
  servedApi,
  shellQuery,
} from './served-api.ts';

async function finished(client: ApiClient): Promise<{ code: number; reason: string }> {
  await client.opened;
  const closed = await client.closed;
  for (const text of client.texts) ExecFrame.parse(text);
  return closed;
}

function seen(client: ApiClient, text: string): Promise<unknown> {
  return eventually(() => client.output().includes(text), { what: JSON.stringify(text), timeoutMs: 10_000 });
}

async function running(api: ServedApi): Promise<string[]> {
  const sessions = await api.engine.sessions('demo');
  return sessions.filter(({ state }) => state === 'running').map(({ id }) => id);
}

function errorOf(answer: Answer | null): unknown {
  return (answer?.json() as { error?: unknown } | undefined)?.error;
}

describe('exec without a terminal', () => {
  test('sends session_info, all output, the exit frame, then the exit text, then closes with 1000', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec${shellQuery('seq 1 200000; echo err >&2; exit 7')}`);
    expect(await finished(client)).toMatchObject({ code: 1000 });
    const kinds = client.frames.map((frame) =>
      'text' in frame ? String(frame.text.type) : `stream ${frame.bytes[0]}`,
    );
    expect(kinds[0]).toBe('session_info');
    expect(kinds.slice(-2)).toEqual(['stream 3', 'exit']);
    expect(kinds.filter((kind) => kind === 'exit' || kind === 'stream 3')).toHaveLength(2);
    expect(client.output(1)).toBe(Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join(''));
    expect(client.output(2)).toBe('err\n');
    expect(client.exitFrames).toEqual([7]);
    expect(client.texts[0]).toMatchObject({ is_owner: true, tty: false, stdout_offset: 0 });
    expect(client.texts.at(-1)).toEqual({ type: 'exit', exit_code: 7, signal: null, timed_out: false });
  });

  test('reports ends as a shell does: a signal as 128+n, no such program as 127', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const exitOf = async (query: string) => {
      using client = api.connect(`${at}/exec${query}`);
      await finished(client);
      return client.exitFrames;
    };
    expect(await exitOf(shellQuery('kill -9 $$'))).toEqual([137]);
    expect(await exitOf('?cmd=nosuchprogram')).toEqual([127]);
    expect(await exitOf('?cmd=/etc')).toEqual([126]);
    expect(await exitOf('?cmd=true&path=false')).toEqual([1]);
  });

  test('takes directory, environment and arguments as they are', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const query = new URLSearchParams([
      ['cmd', 'sh'],
      ['cmd', '-c'],
      ['cmd', 'printf "%s|" "$PWD" "$A" "$B" "$HOME" "$@"'],
      ['cmd', '-x'],
      ['cmd', '--'],
      ['cmd', 'a b\n*"$HOME"'],
      ['cmd', ''],
      ['env', 'A=1=2'],
      ['env', 'B='],
      ['dir', 'project'],
    ]);
    using client = api.connect(`${at}/exec?${query}`);
    await finished(client);
    expect(client.output(1)).toBe('/home/sprite/project|1=2||/home/sprite|--|a b\n*"$HOME"||');
  });

  test('feeds stdin to its end, and does not wait for one', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec?cmd=sh&cmd=-c&cmd=wc+-c&stdin=true`);
    await client.opened;
    for (let count = 0; count < 40; count += 1) client.sendInput(Buffer.alloc(100_000, count));
    client.sendInputEnd();
    await finished(client);
    expect(client.output(1).trim()).toBe('4000000');
    using silent = api.connect(`${at}/exec?cmd=echo&cmd=done&stdin=true`);
    await finished(silent);
    expect([silent.output(1), silent.exitFrames]).toEqual(['done\n', [0]]);
    using none = api.connect(`${at}/exec?cmd=cat&stdin=false`);
    await none.opened;
    none.sendInput('ignored');
    none.sendInputEnd();
    await finished(none);
    expect([none.output(1), none.exitFrames]).toEqual(['', [0]]);
  });

  test('passes signals on, whatever they are called', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    for (const [signal, exit] of [
      ['TERM', 143],
      ['SIGINT', 130],
      ['kill', 137],
    ] as const) {
      using client = api.connect(`${at}/exec?cmd=sleep&cmd=1000`);
      await client.opened;
      client.sendJson({ type: 'signal', signal });
      await finished(client);
      expect(client.exitFrames).toEqual([exit]);
    }
    using handled = api.connect(
      `${at}/exec${shellQuery('trap "echo got; exit 5" USR1; echo up; while :; do sleep 0.1; done')}`,
    );
    await seen(handled, 'up');
    handled.sendJson({ type: 'signal', signal: 'NOSUCH' });
    handled.sendJson({ type: 'signal', signal: 'USR1' });
    await finished(handled);
    expect([handled.output(1), handled.exitFrames]).toEqual(['up\ngot\n', [5]]);
    expect(handled.texts.some(({ type }) => type === 'error')).toBe(true);
  });

  test('says nothing empty while there is output, and an empty frame when it has been silent', async () => {
    await using api = await servedApi({ keepAliveMs: 200 });
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec${shellQuery('echo a; sleep 1.5; echo b')}`);
    await finished(client);
    const empty = client.frames.filter((frame) => 'bytes' in frame && frame.bytes.length === 0);
    // How many fit into the silence is the machine's business.
    expect(empty.length).toBeGreaterThan(0);
    expect(empty.length).toBeLessThan(10);
    expect(client.output(1)).toBe('a\nb\n');
  });

  test('is refused in the handshake, with a body that says why', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const refusal = async (path: string) => {
      using client = api.connect(path);
      await client.opened.catch(() => undefined);
      return [client.refusal?.status, errorOf(client.refusal)];
    };
    expect(await refusal('/v1/sprites/nosuch/exec?cmd=true')).toEqual([404, 'sprite_not_found']);
    expect(await refusal(`${at}/exec?cmd=true&rows=x`)).toEqual([400, 'usage']);
    expect(await refusal(`${at}/exec?cmd=true&env=NOVALUE`)).toEqual([400, 'usage']);
    expect(await refusal(`${at}/exec?cmd=true&dir=/nosuch`)).toEqual([500, 'sprite_exec_failed']);
    expect(await refusal(`${at}/exec?cmd=a%00b`)).toEqual([400, 'usage']);
    expect(await refusal(`${at}/exec?cmd=true&max_run_after_disconnect=soon`)).toEqual([400, 'usage']);
    expect(await refusal(`${at}/exec/nosuch`)).toEqual([404, 'session_not_found']);
    expect(await refusal(`${at}/exec?id=nosuch`)).toEqual([404, 'session_not_found']);
    expect(await api.engine.sessions('demo')).toEqual([]);
  });
});

describe('exec with a terminal', () => {
  test('has the size asked for, takes a new one, and tells its exit by text and close code', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const script = 'tty > /dev/null && stty size; read line; stty size; echo "got $line"; exit 3';
    using client = api.connect(`${at}/exec${shellQuery(script, { tty: 'true', rows: '30', cols: '100' })}`);
    await seen(client, '30 100');
    client.sendJson({ type: 'resize', cols: 120, rows: 40 });
    client.sendJson({ type: 'resize', cols: 0, rows: -5 });
    client.sendJson({ type: 'resize' });
    client.ws.send('not json');
    client.ws.send(Buffer.from('word ü\r'));
    expect((await finished(client)).code).toBe(4000);
    expect(client.output()).toContain('40 120');
    expect(client.output()).toContain('got word ü');
    expect(client.texts[0]).toMatchObject({ tty: true, cols: 100, rows: 30 });
    expect(client.texts.at(-1)).toEqual({ type: 'exit', exit_code: 3, signal: null, timed_out: false });
    using fine = api.connect(`${at}/exec?cmd=true&tty=true&rows=0`);
    expect((await finished(fine)).code).toBe(1000);
    expect(fine.texts[0]).toMatchObject({ cols: 80, rows: 24 });
  });

  test('runs a shell when no command is named', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec?tty=true`);
    await client.opened;
    client.ws.send(Buffer.from('echo $((40+2)); exit 4\r'));
    expect((await finished(client)).code).toBe(4000);
    expect(client.output()).toContain('42');
  });
});

describe('attach', () => {
  test('shows what a terminal shows, then what comes, to several clients at once', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const script = 'echo first; while read line; do echo "<$line>"; done';
    using owner = api.connect(`${at}/exec${shellQuery(script, { tty: 'true' })}`);
    await seen(owner, 'first');
    using one = api.connect(`${at}/exec/${owner.sessionId}`);
    using other = api.connect(`${at}/exec?id=${owner.sessionId}`);
    for (const client of [one, other]) {
      await seen(client, 'first');
      expect(client.frames[0]).toMatchObject({ text: { type: 'session_info', is_owner: false, tty: true } });
    }
    one.ws.send(Buffer.from('word\r'));
    for (const client of [owner, one, other]) await seen(client, '<word>');
    const list = await api.askJson('GET', `${at}/exec`);
    expect(list.body).toMatchObject({
      count: 1,
      sessions: [{ id: owner.sessionId, tty: true, is_active: true }],
    });
  });

  test('goes on from a byte without losing or repeating one, also after the end', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    using owner = api.connect(`${at}/exec${shellQuery('seq 1 1000; echo err >&2; exit 9')}`);
    await finished(owner);
    const whole = owner.output(1);
    using later = api.connect(`${at}/exec/${owner.sessionId}?output_offset=1000`);
    await finished(later);
    expect(later.output(1)).toBe(whole.slice(1000));
    expect(later.exitFrames).toEqual([9]);
    expect(later.texts[0]).toMatchObject({ stdout_offset: 1000 });
    using lingering = api.connect(`${at}/exec/${owner.sessionId}`);
    await finished(lingering);
    expect([lingering.output(1), lingering.output(2), lingering.exitFrames]).toEqual([whole, 'err\n', [9]]);
  });
});

test('attach wakes a sprite that is frozen, and not one that was stopped', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  using owner = api.connect(
    `${at}/exec${shellQuery('while read line; do echo "<$line>"; done', { tty: 'true' })}`,
  );
  await owner.opened;
  await eventually(() => owner.sessionId !== '');
  const [{ id } = { id: '' }] = await api.engine.list();
  const state = join('/sys/fs/cgroup/freezer', `wisp-${id}`, 'freezer.state');
  writeFileSync(
    existsSync(state) ? state : join('/sys/fs/cgroup', `wisp-${id}`, 'cgroup.freeze'),
    existsSync(state) ? 'FROZEN' : '1',
  );
  await eventually(async () => (await api.engine.list())[0]?.state === 'warm');
  using back = api.connect(`${at}/exec/${owner.sessionId}`);
  await back.opened;
  back.ws.send(Buffer.from('word\r'));
  await seen(back, '<word>');
  await api.engine.stop('demo');
  using late = api.connect(`${at}/exec/${owner.sessionId}?output_offset=0`);
  await late.opened.catch(() => undefined);
  expect((await api.engine.list())[0]?.state).toBe('cold');
});

describe('a session whose client has left', () => {
  test('goes on, is listed and can be attached to; with a limit it is ended after it', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const start = async (more: Record<string, string>) => {
      const client = api.connect(`${at}/exec${shellQuery('echo up; sleep 1000', more)}`);
      await seen(client, 'up');
      return client;
    };
    const kept = await start({ tty: 'true' });
    const unlimited = await start({ max_run_after_disconnect: '0' });
    const limited = await start({ max_run_after_disconnect: '700ms' });
    const held = await start({ max_run_after_disconnect: '700ms' });
    expect(await running(api)).toHaveLength(4);
    using back = api.connect(`${at}/exec/${held.sessionId}`);
    await back.opened;
    for (const client of [kept, unlimited, limited, held]) client.ws.terminate();
    await eventually(async () => !(await running(api)).includes(limited.sessionId), { timeoutMs: 10_000 });
    const others = [kept, unlimited, held].map(({ sessionId }) => sessionId).sort();
    expect((await running(api)).sort()).toEqual(others);
    back.ws.close();
    await eventually(async () => !(await running(api)).includes(held.sessionId), { timeoutMs: 10_000 });
    expect((await running(api)).sort()).toEqual([kept.sessionId, unlimited.sessionId].sort());
  });

  test('is not ended when somebody comes back in time', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const start = async () => {
      const client = api.connect(
        `${at}/exec${shellQuery('echo up; sleep 1000', { max_run_after_disconnect: '2s' })}`,
      );
      await seen(client, 'up');
      return client;
    };
    const [left, resumed] = [await start(), await start()];
    for (const client of [left, resumed]) client.ws.terminate();
    await Promise.all([left.closed, resumed.closed]);
    using back = api.connect(`${at}/exec/${resumed.sessionId}`);
    await seen(back, 'up');
    await eventually(async () => !(await running(api)).includes(left.sessionId), { timeoutMs: 10_000 });
    expect(await running(api)).toEqual([resumed.sessionId]);
  });

  test('is ended by the next server when its limit has passed', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const client = api.connect(
      `${at}/exec${shellQuery('echo up; sleep 1000', { max_run_after_disconnect: '300ms' })}`,
    );
    await seen(client, 'up');
    await api.end(0);
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(await running(api)).toHaveLength(1);
    await using _next = await servedApi({}, { engine: api.engine });
    await eventually(async () => (await running(api)).length === 0, { timeoutMs: 10_000 });
  });
});

describe('kill', () => {
  test('tells each step, with KILL for who ignores TERM', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const start = async (script: string) => {
      const client = api.connect(`${at}/exec${shellQuery(script)}`);
      await seen(client, 'up');
      return client;
    };
    const steps = async (path: string, method = 'POST') => {
      const { status, body } = await api.ask(`${at}/exec/${path}`, { method });
      return {
        status,
        lines: body
          .toString()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      };
    };
    using polite = await start('echo up; exec sleep 1000');
    const ended = await steps(`${polite.sessionId}/kill`);
    expect(ended.lines.map(({ type }) => type)).toEqual(['signal', 'exited', 'complete']);
    expect(ended.lines.at(-1)).toEqual({ type: 'complete', exit_code: 143 });
    using stubborn = await start('trap "" TERM; echo up; while :; do sleep 0.1; done');
    const killed = await steps(`${stubborn.sessionId}/kill?signal=TERM&timeout=500ms`);
    expect(killed.lines.map(({ type }) => type)).toEqual(['signal', 'timeout', 'killed', 'complete']);
    expect(killed.lines.at(-1)).toMatchObject({ exit_code: 137 });
    using signalled = await start('trap "echo got" USR1; echo up; while :; do sleep 0.1; done');
    const once = await steps(`${signalled.sessionId}/kill?signal=USR1&timeout=0s`);
    expect([once.status, once.lines.map(({ type }) => type)]).toEqual([200, ['signal', 'complete']]);
    await seen(signalled, 'got');
    expect((await steps(`${signalled.sessionId}?signal=KILL`, 'DELETE')).lines.at(-1)).toMatchObject({
      exit_code: 137,
    });
    const gone = await api.askJson('POST', `${at}/exec/${polite.sessionId}/kill`);
    expect(gone.status).toBe(410);
    expect((await api.askJson('POST', `${at}/exec/nosuch/kill`)).status).toBe(404);
    expect((await api.askJson('POST', `${at}/exec/${signalled.sessionId}/kill?timeout=x`)).status).toBe(400);
  });
});

describe('a client that breaks the rules', () => {
  test('is told so and let go, and its session goes on', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    for (const [name, bytes, code] of BROKEN_FRAMES) {
      expect([
        name,
        await closeCodeFor(api, `${at}/exec?cmd=sleep&cmd=1000&max_run_after_disconnect=0`, bytes),
      ]).toEqual([name, code]);
    }
    expect(await running(api)).toHaveLength(BROKEN_FRAMES.length);
    expect((await api.ask('/v1/sprites')).status).toBe(200);
  });

  test('without a proper handshake gets a plain answer', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const upgrade = { Connection: 'Upgrade', Upgrade: 'h2c' };
    expect((await api.ask(`${at}/exec?cmd=true`, { headers: upgrade })).status).toBe(400);
    const noKey = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    expect((await api.ask(`${at}/proxy`, { headers: noKey })).status).toBe(400);
    expect((await api.ask('/v1/sprites')).status).toBe(200);
  });
});
