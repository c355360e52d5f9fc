import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import type { Session } from '../../contract/schemas.ts';
import { eventually } from '../helpers/eventually.ts';
import { type LocalSprite, localSprite } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { WispProcess } from './wisp-process.ts';

const LIMIT_MS = 40_000;
let sprite: LocalSprite;
let wisp: WispProcess;

beforeAll(async () => {
  sprite = await localSprite();
  wisp = new WispProcess(sprite.home);
}, LIMIT_MS);
afterAll(async () => await sprite[Symbol.asyncDispose](), LIMIT_MS);

async function newestSession(): Promise<Session> {
  const sessions = await sprite.engine.sessions('demo');
  const newest = sessions.sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  if (newest === undefined) throw new Error('no session');
  return newest;
}

async function ended(sessionId: string): Promise<Session> {
  return await eventually(async () => {
    const sessions = await sprite.engine.sessions('demo');
    return sessions.find(({ id, state }) => id === sessionId && state !== 'running');
  });
}

test(
  'wisp exec passes bytes through untouched and ends with the command’s exit code',
  async () => {
    const script = "printf 'a\\000\\377\\303'; printf 'e\\200' >&2; exit 42";
    const { exitCode, stdout, stderr } = await wisp.run(['exec', 'demo', '--', 'sh', '-c', script]);
    expect(exitCode).toBe(42);
    expect(Buffer.from(stdout).toString('hex')).toBe('6100ffc3');
    expect(Buffer.from(stderr).toString('hex')).toBe('6580');
  },
  LIMIT_MS,
);

test(
  'wisp exec gives arguments to the command as they are',
  async () => {
    const words = ['-la', '--json', '--', '', 'a b', '$HOME', '*', "it's", 'é\n'];
    const { stdout } = await wisp.text(['exec', 'demo', '--', 'printf', '%s|', ...words]);
    expect(stdout).toBe(`${words.join('|')}|`);
  },
  LIMIT_MS,
);

test(
  'wisp exec answers 127, 126 and 128+n as a shell does, and 125 for its own failures',
  async () => {
    const codeOf = async (...args: string[]) => (await wisp.run(['exec', ...args])).exitCode;
    expect(await codeOf('demo', '--', 'no-such-program')).toBe(127);
    expect(await codeOf('demo', '--', '/etc/passwd')).toBe(126);
    expect(await codeOf('demo', '--', 'sh', '-c', 'kill -9 $$')).toBe(137);
    expect(await codeOf('nosuch', '--', 'true')).toBe(125);
    const { exitCode, document } = await wisp.json(['exec', 'nosuch', '--', 'true']);
    expect(exitCode).toBe(125);
    expect(document).toMatchObject({ success: false, verb: 'exec', error: { code: 'SPRITE_NOT_FOUND' } });
  },
  LIMIT_MS,
);

test(
  'wisp exec --stdin streams megabytes in and out and sees the end; without it stdin is empty',
  async () => {
    const input = Buffer.alloc(5_000_000, '0123456789abcde\n');
    const { exitCode, stdout } = await wisp.run(['exec', 'demo', '--stdin', '--', 'cat'], { stdin: input });
    expect(exitCode).toBe(0);
    expect(Buffer.from(stdout).equals(input)).toBe(true);
    const empty = await wisp.text(['exec', 'demo', '--', 'wc', '-c'], { stdin: input });
    expect(empty.stdout.trim()).toBe('0');
    const early = await wisp.text(['exec', 'demo', '--stdin', '--', 'head', '-c', '3'], { stdin: input });
    expect(early).toEqual({ exitCode: 0, stdout: '012', stderr: '' });
  },
  LIMIT_MS,
);

test(
  'wisp exec --dir, --user and the environment reach the command',
  async () => {
    using dir = tempDir();
    writeFileSync(dir.join('env'), 'A=from file\nB="two\\nlines"\n');
    const flags = ['--dir', '/tmp', '--user', 'root', '--env-file', dir.join('env'), '--env', 'A=x=y'];
    const { stdout } = await wisp.text([
      'exec',
      'demo',
      ...flags,
      '--',
      'sh',
      '-c',
      'pwd; echo "$USER"; echo "$A|$B"',
    ]);
    expect(stdout).toBe('/tmp\nroot\nx=y|two\nlines\n');
  },
  LIMIT_MS,
);

test(
  'wisp exec --json is one document with the output, head and tail of what is too much',
  async () => {
    const script =
      "printf HEAD; head -c 100000 /dev/zero; printf TAIL; printf 'caf\\303\\251\\377' >&2; exit 3";
    const { exitCode, document } = await wisp.json([
      'exec',
      'demo',
      '--max-output',
      '1KiB',
      '--',
      'sh',
      '-c',
      script,
    ]);
    expect(exitCode).toBe(3);
    const { data } = document;
    expect(data).toMatchObject({
      exit_code: 3,
      signal: null,
      timed_out: false,
      stderr: 'café\ufffd',
      stderr_truncated_bytes: 0,
    });
    expect(data.stdout_truncated_bytes).toBe(100_008 - 1024);
    expect(data.stdout.startsWith('HEAD')).toBe(true);
    expect(data.stdout.endsWith('TAIL')).toBe(true);
    expect(data.stdout.length).toBeLessThan(1200);
    const base64 = await wisp.json(['exec', 'demo', '--encoding', 'base64', '--', 'printf', '\\377']);
    expect(base64.document.data.stdout).toBe('/w==');
  },
  LIMIT_MS,
);

test(
  'wisp exec --timeout ends the command with exit code 7 and keeps what came before',
  async () => {
    const script = 'echo before; trap "" TERM; sleep 100 & wait; sleep 100';
    const startedAt = performance.now();
    const raw = await wisp.text([
      'exec',
      'demo',
      '--timeout',
      '500ms',
      '--',
      'sh',
      '-c',
      'echo before; sleep 100',
    ]);
    expect(raw.exitCode).toBe(7);
    expect(raw.stdout).toBe('before\n');
    expect(raw.stderr).toContain('error: exec: the command had not ended after 500ms');
    const { exitCode, document } = await wisp.json([
      'exec',
      'demo',
      '--timeout',
      '500ms',
      '--',
      'sh',
      '-c',
      script,
    ]);
    expect(exitCode).toBe(7);
    expect(document.data).toMatchObject({ timed_out: true, stdout: 'before\n' });
    expect(performance.now() - startedAt).toBeLessThan(25_000);
  },
  LIMIT_MS,
);

test(
  'wisp exec --detach prints the session, which goes on and can be read and ended',
  async () => {
    const script = 'echo one; echo two >&2; sleep 100';
    const detached = await wisp.text(['exec', 'demo', '--detach', '--', 'sh', '-c', script]);
    expect(detached.exitCode).toBe(0);
    const id = detached.stdout.trim();
    expect(id).toMatch(/^[a-z0-9-]+$/);
    await eventually(async () => (await wisp.text(['logs', 'demo', id])).stdout === 'one\n', {
      timeoutMs: 10_000,
    });
    const logs = await wisp.json(['logs', 'demo', id]);
    expect(logs.document.data).toMatchObject({
      stdout: 'one\n',
      stderr: 'two\n',
      stdout_next_offset: 4,
      session: { state: 'running' },
    });
    expect((await wisp.text(['logs', 'demo', id, '--from', '-2'])).stdout).toBe('e\n');
    expect((await wisp.text(['logs', 'demo', id, '--stream', 'stderr', '--from', '1'])).stdout).toBe('wo\n');
    await using left = wisp.start(['logs', 'demo', id, '--follow', '--json']);
    await eventually(() => left.stdout.split('\n').length > 2, { timeoutMs: 10_000 });
    left.child.kill('SIGTERM');
    expect(await left.exited).toBe(143);
    expect(JSON.parse(left.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'error',
      seq: 3,
      error: { code: 'INTERNAL', details: { signal: 'SIGTERM' } },
    });
    await using follower = wisp.start(['logs', 'demo', id, '--follow', '--json']);
    await eventually(() => follower.stdout.split('\n').length > 2, { timeoutMs: 10_000 });
    const killed = await wisp.json(['kill-session', 'demo', id]);
    expect(killed.document.data).toEqual({ exit_code: 143, already_gone: false });
    expect(await follower.exited).toBe(0);
    const lines = follower.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(lines.at(-1)).toMatchObject({ type: 'exit', exit_code: 143 });
    expect(lines.find(({ stream }) => stream === 'stdout')).toMatchObject({
      type: 'output',
      offset: 0,
      data: 'one\n',
      encoding: 'utf8',
    });
    const again = await wisp.json(['kill-session', 'demo', id]);
    expect(again).toMatchObject({ exitCode: 0, document: { data: { already_gone: true, exit_code: 143 } } });
  },
  LIMIT_MS,
);

test(
  'wisp exec forwards SIGINT, waits for the command, and ends with 130',
  async () => {
    const script = 'trap "echo got INT; exit 5" INT; echo ready; while :; do sleep 0.1; done';
    await using client = wisp.start(['exec', 'demo', '--', 'sh', '-c', script]);
    await eventually(() => client.stdout.includes('ready'), { timeoutMs: 10_000 });
    client.child.kill('SIGINT');
    expect(await client.exited).toBe(130);
    expect(client.stdout).toBe('ready\ngot INT\n');
  },
  LIMIT_MS,
);

test(
  'wisp exec ends a command that ignores SIGTERM, and ends with 143',
  async () => {
    const script = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';
    await using client = wisp.start(['exec', 'demo', '--', 'sh', '-c', script]);
    await eventually(() => client.stdout.includes('ready'), { timeoutMs: 10_000 });
    const { id } = await newestSession();
    client.child.kill('SIGTERM');
    expect(await client.exited).toBe(143);
    expect((await ended(id)).signal).toBe('SIGKILL');
  },
  LIMIT_MS,
);

test(
  'wisp exec kills a command that ignores SIGINT at the second one',
  async () => {
    const script = 'trap "echo ignored" INT; echo ready; while :; do sleep 0.1; done';
    await using client = wisp.start(['exec', 'demo', '--', 'sh', '-c', script]);
    await eventually(() => client.stdout.includes('ready'), { timeoutMs: 10_000 });
    const { id } = await newestSession();
    client.child.kill('SIGINT');
    await eventually(() => client.stdout.includes('ignored'), { timeoutMs: 10_000 });
    client.child.kill('SIGINT');
    expect(await client.exited).toBe(130);
    expect((await ended(id)).signal).toBe('SIGKILL');
  },
  LIMIT_MS,
);

test(
  'wisp exec ends quietly when nobody reads, and so does its command',
  async () => {
    await using client = wisp.start(['exec', 'demo', '--', 'yes']);
    await eventually(() => client.stdout.length > 0, { timeoutMs: 10_000 });
    const { id } = await newestSession();
    client.child.stdout?.destroy();
    expect(await client.exited).toBe(141);
    expect(client.stderr).toBe('');
    expect((await ended(id)).exit_code).toBe(141);
  },
  LIMIT_MS,
);

test(
  'wisp exec killed outright leaves its command running',
  async () => {
    await using client = wisp.start(['exec', 'demo', '--', 'sh', '-c', 'echo ready; sleep 100']);
    await eventually(() => client.stdout.includes('ready'), { timeoutMs: 10_000 });
    const { id } = await newestSession();
    client.child.kill('SIGKILL');
    await client.exited;
    const sessions = (await wisp.json(['sessions', 'demo'])).document.data.sessions as Session[];
    expect(sessions.find((session) => session.id === id)?.state).toBe('running');
    expect((await wisp.json(['kill-session', 'demo', id, '--signal', 'KILL'])).document.data.exit_code).toBe(
      137,
    );
  },
  LIMIT_MS,
);

test(
  'wisp exec waits for a slow reader instead of holding what it has not taken',
  async () => {
    await using client = wisp.start(['exec', 'demo', '--', 'head', '-c', '300000000', '/dev/zero']);
    client.child.stdout?.pause();
    const statusOf = async () => await Bun.file(`/proc/${client.child.pid}/status`).text();
    const residentKb = async () => Number(/VmRSS:\s+(\d+)/.exec(await statusOf())?.[1] ?? 0);
    let most = 0;
    const until = performance.now() + 2000;
    await eventually(async () => {
      most = Math.max(most, await residentKb());
      return performance.now() > until;
    });
    expect(most).toBeGreaterThan(10_000);
    expect(most).toBeLessThan(150_000);
  },
  LIMIT_MS,
);
