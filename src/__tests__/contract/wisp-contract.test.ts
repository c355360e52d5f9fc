/**
 * The wisp contract as wreckit relies on it, the same assertions for the stand-in and for the bundled wisp:
 * what the one promises and the other doesn't keep would make every test with the stand-in worthless.
 */
import { expect, test } from 'bun:test';
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import { resolveWisp } from '../../agent/wisp-client/wisp-program.ts';
import { readTar } from '../../archive/tar-reader.ts';
import { writeTar } from '../../archive/tar-writer.ts';
import type { ErrorCode } from '../../contract/error-codes.ts';
import {
  AttachDataSchema,
  CheckSchema,
  ExecDataSchema,
  FileEntrySchema,
  PortsDataSchema,
  ProxyDataSchema,
  SessionSchema,
  SpriteSchema,
  VersionDataSchema,
} from '../../contract/schemas.ts';
import { run } from '../../process/run.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { fakeWisp } from '../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

interface Subject extends AsyncDisposable {
  readonly runner: SpriteRunner;
  /** The program itself, as a script would call it. */
  call(...args: readonly string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }>;
}

type Env = Record<string, string>;

const SUBJECTS: Readonly<Record<string, (dir: TempDir) => { wispPath?: string; env: Env }>> = {
  'the stand-in': (dir) => {
    const { path, env } = fakeWisp(dir);
    return { wispPath: path, env };
  },
  'the bundled wisp': (dir) => ({
    env: { PATH: process.env.PATH ?? '', HOME: dir.path, TMPDIR: dir.path, WISP_HOME: dir.join('wisp') },
  }),
};

function subject(name: string): Subject {
  const dir = tempDir();
  const { wispPath, env } = SUBJECTS[name]?.(dir) ?? { env: {} };
  const runner = new SpriteRunner({ wispPath, env });
  const { argv } = resolveWisp({ wispPath, env });
  return {
    runner,
    call: async (...args) => {
      const { exitCode, stdout, stderr } = await run([...argv, ...args], { env, cwd: dir.path });
      return { exitCode, stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString() };
    },
    [Symbol.asyncDispose]: async () => {
      const names = (await runner.list()).map((sprite) => sprite.name);
      if (names.length > 0) await runner.kill(names);
      dir[Symbol.dispose]();
    },
  };
}

/** Calls of every verb about one sprite, as words for the program: none may succeed for a sprite that isn't. */
const ABOUT_ONE: readonly (readonly string[])[] = [
  ['info', '--json', 'NAME'],
  ['stop', '--json', 'NAME'],
  ['wake', '--json', 'NAME'],
  ['kill', '--json', 'NAME'],
  ['ports', '--json', 'NAME'],
  ['proxy', '--json', 'NAME', '0:80'],
  ['sessions', '--json', 'NAME'],
  ['logs', '--json', 'NAME', 's1'],
  ['kill-session', '--json', 'NAME', 's1'],
  ['attach', '--json', 'NAME', 's1'],
  ['exec', '--json', 'NAME', '--', 'true'],
  ['fs', 'read', '--json', 'NAME', '/x'],
  ['fs', 'ls', '--json', 'NAME', '/'],
  ['fs', 'rm', '--json', 'NAME', '/x'],
  ['fs', 'mkdir', '--json', 'NAME', '/x'],
  ['fs', 'mv', '--json', 'NAME', '/x', '/y'],
  ['fs', 'chmod', '--json', 'NAME', '/x', '0644'],
];

async function codeOf(action: () => unknown): Promise<ErrorCode> {
  return (await wreckitErrorOf(action)).code;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks));
}

for (const name of Object.keys(SUBJECTS)) {
  test(`${name} shakes hands with protocol 1`, async () => {
    await using wisp = subject(name);
    const version = VersionDataSchema.parse(await wisp.runner.version());
    expect(version.protocol).toBe(1);
    expect(version.isolation).toContain('namespace');
  });

  test(`${name} starts, lists, describes, stops, wakes and kills a sprite`, async () => {
    await using wisp = subject(name);
    const { runner } = wisp;
    expect(await runner.list()).toEqual([]);
    const first = await runner.start('demo', { memory: '128MiB', labels: { team: 'web' } });
    expect(first.created).toBe(true);
    expect(SpriteSchema.parse(first.sprite)).toMatchObject({
      name: 'demo',
      state: 'running',
      network: 'none',
      labels: { team: 'web' },
      resources: { memory_bytes: 128 * 1024 ** 2 },
    });
    expect((await runner.start('demo')).created).toBe(false);
    const [listed, ...others] = await runner.list();
    expect(others).toEqual([]);
    expect(SpriteSchema.parse(listed).id).toBe(first.sprite.id);
    expect(await runner.list({ prefix: 'x' })).toEqual([]);
    expect(SpriteSchema.parse(await runner.info('demo')).sessions).toEqual([]);
    expect((await runner.stop('demo')).state).toBe('cold');
    expect((await runner.info('demo')).state).toBe('cold');
    expect((await runner.wake('demo')).state).toBe('running');
    expect(await runner.kill(['demo'])).toEqual(['demo']);
    expect(await runner.list()).toEqual([]);
    expect(await codeOf(() => runner.kill(['demo']))).toBe('SPRITE_NOT_FOUND');
  });

  test(`${name} answers every verb with one document that names it, for success and failure`, async () => {
    await using wisp = subject(name);
    for (const words of ABOUT_ONE) {
      const verb = words.slice(0, words.indexOf('--json')).join(' ');
      const { exitCode, stdout } = await wisp.call(
        ...words.map((word) => (word === 'NAME' ? 'nosuch' : word)),
      );
      const document = JSON.parse(stdout);
      expect([verb, document.success, document.verb]).toEqual([verb, false, verb]);
      expect([verb, document.error.code, exitCode]).toEqual([
        verb,
        'SPRITE_NOT_FOUND',
        verb === 'exec' ? 125 : 3,
      ]);
      expect(Object.keys(document.error).sort()).toEqual(['code', 'details', 'hint', 'message', 'retryable']);
    }
    const started = JSON.parse((await wisp.call('start', '--json', 'demo')).stdout);
    expect([started.success, started.verb, started.data.created]).toEqual([true, 'start', true]);
    const usage = await wisp.call('no-such-verb', '--json');
    expect([usage.exitCode, JSON.parse(usage.stdout).error.code]).toEqual([2, 'USAGE']);
  });

  test(`${name} refuses bad names with exit 2 and makes nothing of them`, async () => {
    await using wisp = subject(name);
    for (const bad of ['', 'A', 'a_b', '../../v1/x', 'a?force=true', 'a\nb', 'a'.repeat(64)]) {
      const { exitCode, stdout } = await wisp.call('start', '--json', bad);
      expect([bad, exitCode, JSON.parse(stdout).error.code]).toEqual([bad, 2, 'SPRITE_NAME_INVALID']);
    }
    expect(await wisp.runner.list()).toEqual([]);
  });

  test(`${name} runs commands: exit code, output, environment, directory and stdin`, async () => {
    await using wisp = subject(name);
    const { runner } = wisp;
    await runner.start('demo');
    const script = 'echo "$GREETING"; echo err >&2; exit 3';
    const result = await runner.exec('demo', ['sh', '-c', script], { env: { GREETING: 'a "b"\n$c' } });
    expect(ExecDataSchema.parse(result)).toMatchObject({
      exit_code: 3,
      signal: null,
      stdout: 'a "b"\n$c\n',
      stderr: 'err\n',
      timed_out: false,
      stdout_truncated_bytes: 0,
    });
    expect((await runner.exec('demo', ['sh', '-c', 'kill -9 $$'])).exit_code).toBe(137);
    expect((await runner.exec('demo', ['no-such-program'])).exit_code).toBe(127);
    expect((await runner.exec('demo', ['cat'])).stdout).toBe('');
    expect((await runner.exec('demo', ['cat'], { stdin: { text: 'in' } })).stdout).toBe('in');
    const words = await runner.exec('demo', ['printf', '%s|', '-la', '--json', '--', '', '$HOME']);
    expect(words.stdout).toBe('-la|--json|--||$HOME|');
    const pwd = await runner.exec('demo', ['pwd'], { dir: '/home/sprite' });
    expect(pwd.stdout).toEndWith('/home/sprite\n');
    const raw = await runner.execCapture('demo', ['printf', '\\377\\000']);
    expect([...raw.stdout, raw.exitCode]).toEqual([255, 0, 0]);
  });

  test(`${name} ends a command at its timeout and says so`, async () => {
    await using wisp = subject(name);
    await wisp.runner.start('demo');
    const result = await wisp.runner.exec('demo', ['sleep', '60'], { commandTimeout: '1s' });
    expect(result.timed_out).toBe(true);
    expect(result.exit_code).not.toBe(0);
  });

  test(`${name} keeps detached commands as sessions`, async () => {
    await using wisp = subject(name);
    const { runner } = wisp;
    await runner.start('demo');
    const script = 'echo out; exec sleep 60';
    const started = ExecDataSchema.parse(await runner.execDetached('demo', ['sh', '-c', script]));
    const id = started.session_id;
    expect([started.exit_code, id === '']).toEqual([null, false]);
    await eventually(async () => (await drain(runner.logs('demo', id))).toString() === 'out\n');
    const [session] = await runner.sessions('demo');
    expect(SessionSchema.parse(session)).toMatchObject({
      id,
      state: 'running',
      command: ['sh', '-c', script],
    });
    const attached = AttachDataSchema.parse(await runner.attach('demo', id));
    expect([attached.session.id, attached.output_tail, attached.next_offset]).toEqual([id, 'out\n', 4]);
    expect((await drain(runner.logs('demo', id, { from: 2 }))).toString()).toBe('t\n');
    expect((await runner.killSession('demo', id, { grace: '5s' })).alreadyGone).toBe(false);
    await eventually(async () => (await runner.sessions('demo'))[0]?.state === 'exited');
    expect((await runner.killSession('demo', id)).alreadyGone).toBe(true);
    expect(await codeOf(() => runner.killSession('demo', 'nosuch'))).toBe('SESSION_NOT_FOUND');
    expect(await codeOf(() => runner.attach('demo', 'nosuch'))).toBe('SESSION_NOT_FOUND');
  });

  test(`${name} reads, writes and lists files byte for byte`, async () => {
    await using wisp = subject(name);
    const { runner } = wisp;
    await runner.start('demo');
    const bytes = new Uint8Array([0, 255, 10, 13, 128]);
    await runner.writeFile('demo', '/home/sprite/d/f.bin', bytes, { mode: '0600' });
    expect([...(await runner.readFile('demo', '/home/sprite/d/f.bin'))]).toEqual([...bytes]);
    const entries = await runner.listFiles('demo', '/home/sprite/d');
    expect(entries.map((entry) => FileEntrySchema.parse(entry))).toMatchObject([
      { name: 'f.bin', type: 'file', size_bytes: 5, mode: '0600' },
    ]);
    expect((await wreckitErrorOf(() => runner.readFile('demo', '/home/sprite/none'))).exitCode).toBe(2);
    expect(await codeOf(() => runner.listFiles('demo', '/home/sprite/none'))).toBe('PATH_INVALID');
  });

  test(`${name} takes and gives tar streams`, async () => {
    await using wisp = subject(name);
    const { runner } = wisp;
    await runner.start('demo');
    const content = Buffer.alloc(200_000, 'x');
    const file = {
      name: 'a/b.txt',
      type: 'file',
      mode: 0o755,
      mtimeSeconds: 1000,
      sizeBytes: 200_000,
    } as const;
    await runner.push('demo', writeTar([{ ...file, content: [content] }]), '/home/sprite/in');
    const members = new Map<string, number>();
    for await (const member of readTar(runner.pull('demo', '/home/sprite/in'))) {
      if (member.type !== 'file') continue;
      members.set(member.name.toString().replace(/^\.\//, ''), (await drain(member.content)).length);
    }
    expect([...members]).toEqual([['a/b.txt', 200_000]]);
    expect(await codeOf(async () => await drain(runner.pull('demo', '/home/sprite/none')))).not.toBe(
      'INTERNAL',
    );
  });

  test(`${name} has nothing to collect and nothing to complain of that it does not name`, async () => {
    await using wisp = subject(name);
    expect(await wisp.runner.gc({ dryRun: true })).toEqual({ removed: [], kept: [] });
    for (const check of await wisp.runner.doctor()) expect(CheckSchema.parse(check).name).not.toBe('');
  });

  test(`${name} tells the ports of a sprite, and which ports its tunnels took`, async () => {
    await using wisp = subject(name);
    await wisp.runner.start('demo');
    const ports = await wisp.runner.ask({ words: ['ports'], args: ['demo'] });
    expect(PortsDataSchema.parse(ports)).toEqual({ ports: [] });
    const stop = new AbortController();
    let said = '';
    const hear = (chunk: Uint8Array): void => {
      said += Buffer.from(chunk).toString();
    };
    const ended = wisp.runner.passThrough(
      { words: ['proxy'], args: ['demo', '0:8080', '0:5432'] },
      { json: true, stdout: hear, signal: stop.signal },
    );
    await eventually(() => said.includes('\n'), { timeoutMs: 20_000 });
    const { data, ...document } = JSON.parse(said);
    expect(document).toEqual({ success: true, verb: 'proxy' });
    const { tunnels } = ProxyDataSchema.parse(data);
    expect(tunnels.map(({ remote_port: port }) => port)).toEqual([8080, 5432]);
    for (const { local_port: port, url } of tunnels) expect(url).toBe(`http://127.0.0.1:${port}`);
    stop.abort();
    await ended.catch(() => undefined);
  });
}
