import { expect, test } from 'bun:test';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { runWispCommand } from '../../agent/run-wisp-command.ts';
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import type { WispClient } from '../../agent/wisp-client/wisp-client.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { type FakeScenario, type FakeWisp, fakeWisp } from '../helpers/fake-wisp.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function runnerOf(fake: FakeWisp): SpriteRunner {
  return new SpriteRunner({ wispPath: fake.path, env: fake.env });
}

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(1024);
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks));
}

/** Every call about one sprite. */
const CALLS: Readonly<Record<string, (client: WispClient, name: string) => Promise<unknown>>> = {
  start: (client, name) => client.start(name),
  info: (client, name) => client.info(name),
  stop: (client, name) => client.stop(name),
  wake: (client, name) => client.wake(name),
  kill: (client, name) => client.kill([name]),
  exec: (client, name) => client.exec(name, ['true']),
  'exec --detach': (client, name) => client.execDetached(name, ['true']),
  attach: (client, name) => client.attach(name),
  sessions: (client, name) => client.sessions(name),
  logs: async (client, name) => await drain(client.logs(name, 's1')),
  'kill-session': (client, name) => client.killSession(name, 's1'),
  'fs read': (client, name) => client.readFile(name, '/x'),
  'fs write': (client, name) => client.writeFile(name, '/x', ''),
  'fs ls': (client, name) => client.listFiles(name, '/'),
  push: (client, name) => client.push(name, emptyTar(), '/x'),
  pull: async (client, name) => await drain(client.pull(name, '/x')),
};
/** Those whose answer is bytes: what they print is passed through, only how they end is judged. */
const RAW = new Set(['logs', 'fs read', 'pull']);

const BAD_NAMES = [
  ...[
    '',
    ' ',
    '-o',
    '-',
    'a-',
    'A',
    'a_b',
    'a.b',
    'a/b',
    'a b',
    '..',
    '.',
    '/',
    'ä',
    'a\n',
    '\na',
    'a\u0000',
  ],
  ...[
    '../../v1/x',
    '../../v1/organizations/x',
    'a?force=true',
    'a#x',
    'a%2fb',
    '--help',
    'a'.repeat(64),
    '$(id)',
  ],
];

for (const [verb, call] of Object.entries(CALLS)) {
  test(`SpriteRunner refuses every bad name before it runs anything: ${verb}`, async () => {
    using dir = tempDir();
    const fake = fakeWisp(dir);
    for (const name of BAD_NAMES) {
      const error = await wreckitErrorOf(async () => await call(runnerOf(fake), name));
      expect([name, error.code, error.exitCode]).toEqual([name, 'SPRITE_NAME_INVALID', 2]);
    }
    expect(fake.calls()).toEqual([]);
  });
}

const BODY = { success: false, error: { code: 'SPRITE_BUSY', message: 'sprite "a": busy' } };

const FAULTS: readonly [what: string, scenario: FakeScenario, code: string][] = [
  ['prints garbage', { '*': { stdout: 'Segmentation fault\n' } }, 'WISP_PROTOCOL'],
  ['prints nothing', { '*': {} }, 'WISP_PROTOCOL'],
  ['prints binary garbage', { '*': { stdout_base64: '//79AAECew==' } }, 'WISP_PROTOCOL'],
  ['dies by a signal', { '*': { signal: 'SIGSEGV' } }, 'WISP_PROTOCOL'],
  [
    'dies in the middle of its answer',
    { '*': { stdout: '{"success":tr', signal: 'SIGKILL' } },
    'WISP_PROTOCOL',
  ],
  ['prints an error body with exit 0', { '*': { stdout: BODY } }, 'SPRITE_BUSY'],
  ['answers success with nothing in it', { '*': { stdout: { success: true, data: {} } } }, 'WISP_PROTOCOL'],
  ['floods', { '*': { flood_bytes: 70_000_000 } }, 'WISP_PROTOCOL'],
];

for (const [what, scenario, code] of FAULTS) {
  test(`SpriteRunner says ${code} of every verb when wisp ${what}`, async () => {
    using dir = tempDir();
    const fake = fakeWisp(dir);
    const runner = runnerOf(fake);
    await runner.list();
    fake.play(scenario);
    const isFlood = what === 'floods';
    const verbs = Object.entries(CALLS).filter(([verb]) => !RAW.has(verb));
    for (const [verb, call] of isFlood ? verbs.slice(0, 2) : verbs) {
      // Nothing to read is all there is to say about a push that succeeded.
      if (verb === 'push' && what.startsWith('answers success')) continue;
      if (verb === 'fs write' && what.startsWith('answers success')) continue;
      const error = await wreckitErrorOf(async () => await call(runner, 'a'));
      expect([verb, String(error.code)]).toEqual([verb, code]);
    }
    expect(String((await wreckitErrorOf(() => runner.list())).code)).toBe(code);
  });
}

for (const verb of RAW) {
  test(`SpriteRunner never takes a failed ${verb} for its end`, async () => {
    using dir = tempDir();
    const fake = fakeWisp(dir);
    const call = CALLS[verb] ?? fail;
    const runner = runnerOf(fake);
    await runner.list();
    fake.play({ [verb]: { stdout: 'half', stderr: 'error: sprite "a": gone\nhint: look\n', exit: 3 } });
    const error = await wreckitErrorOf(async () => await call(runner, 'a'));
    expect([error.code, error.hint]).toEqual(['SPRITE_NOT_FOUND', 'look']);
    expect(error.message).toContain('sprite "a": gone');
    fake.play({ [verb]: { stdout: 'half', signal: 'SIGKILL' } });
    expect((await wreckitErrorOf(async () => await call(runner, 'a'))).code).toBe('WISP_PROTOCOL');
  });
}

function fail(): never {
  throw new Error('no such call');
}

test('SpriteRunner tells the exit code and the last words of a wisp that answers nothing', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir, { list: { stderr: 'trace\npanic: no space left on device\n', exit: 1 } });
  const error = await wreckitErrorOf(() => runnerOf(fake).list());
  expect(error.message).toContain('exit code 1');
  expect(error.message).toContain('panic: no space left on device');
  expect(error.details).toMatchObject({ exit_code: 1, wisp_path: fake.path });
});

test('SpriteRunner takes success with a failing exit code for WISP_PROTOCOL', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir, { list: { stdout: { success: true, data: { sprites: [] } }, exit: 3 } });
  expect((await wreckitErrorOf(() => runnerOf(fake).list())).code).toBe('WISP_PROTOCOL');
});

test('SpriteRunner gives up on a wisp that hangs, also on one that ignores SIGTERM', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = new SpriteRunner({ wispPath: fake.path, env: fake.env, timeoutMs: 700, graceMs: 300 });
  await runnerOf(fake).list();
  fake.play({ list: { hang: true } });
  const error = await wreckitErrorOf(() => runner.list());
  expect([error.code, error.exitCode, error.retryable]).toEqual(['TIMEOUT', 7, true]);
  fake.play({ list: { hang: 'hard' } });
  const startedAt = performance.now();
  expect((await wreckitErrorOf(() => runner.list())).code).toBe('TIMEOUT');
  expect(performance.now() - startedAt).toBeLessThan(700 + 300 + 1000);
});

test('SpriteRunner ends with the reason of the signal that aborts it, before and during a call', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await runner.list();
  fake.play({ list: { hang: true } });
  const controller = new AbortController();
  const reason = new Error('enough');
  const listing = runner.list({}, { signal: controller.signal });
  await eventually(() => fake.verbs().includes('list'), { what: 'the call' });
  controller.abort(reason);
  await expect(listing).rejects.toBe(reason);
  fake.play({});
  await expect(runner.list({}, { signal: controller.signal })).rejects.toBe(reason);
  expect(fake.verbs()).toEqual([]);
});

test('SpriteRunner.kill() does not say killed of what wisp did not name', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir, { kill: { stdout: { success: true, data: { killed: ['a'] } } } });
  const error = await wreckitErrorOf(() => runnerOf(fake).kill(['a', 'b']));
  expect([error.name, error.code]).toEqual(['SpriteKillError', 'SPRITE_KILL_FAILED']);
  expect(error.details).toEqual({ killed: ['a'], left: ['b'] });
});

test('SpriteRunner.start() takes neither another sprite nor one in state error for the one it asked for', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const answer = (sprite: object): FakeScenario => ({
    start: { stdout: { success: true, data: { sprite } } },
  });
  fake.play(answer({ name: 'b' }));
  expect((await wreckitErrorOf(() => runnerOf(fake).start('a'))).code).toBe('WISP_PROTOCOL');
  fake.play(answer({ name: 'a', state: 'error', error: 'no space' }));
  const error = await wreckitErrorOf(() => runnerOf(fake).start('a'));
  expect([error.name, error.message]).toEqual(['SpriteStartError', 'start sprite "a": no space']);
});

test('SpriteRunner.start() passes every wish on as its own argument', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  await runnerOf(fake).start('a', {
    image: '/img',
    memory: '1GiB',
    cpus: '2',
    pids: '64',
    network: 'none',
    allow: ['example.org'],
    env: { A: 'b c' },
    labels: { k: 'v' },
    ttl: '2h',
    minIsolation: 'namespace',
  });
  expect(fake.calls().at(-1)?.argv).toEqual([
    ...['start', '--json', 'a', '--image', '/img', '--memory', '1GiB', '--cpus', '2', '--pids', '64'],
    ...['--network', 'none', '--allow', 'example.org', '--env', 'A=b c', '--label', 'k=v', '--ttl', '2h'],
    ...['--min-isolation', 'namespace'],
  ]);
});

test('SpriteRunner lets no value pass for a flag', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  const attempts = [
    () => runner.start('a', { image: '--privileged' }),
    () => runner.start('a', { memory: '' }),
    () => runner.start('a', { ttl: '-1' }),
    () => runner.start('a', { labels: { '': 'x' } }),
    () => runner.list({ prefix: '--help' }),
    () => runner.exec('a', ['true'], { user: '-u0' }),
    () => runner.exec('a', ['a\u0000b']),
    () => runner.exec('a', []),
    () => runner.kill([]),
  ];
  for (const attempt of attempts) expect((await wreckitErrorOf(attempt)).code).toBe('USAGE');
  for (const path of ['', 'a\u0000b']) {
    expect((await wreckitErrorOf(() => runner.readFile('a', path))).code).toBe('PATH_INVALID');
  }
  expect((await wreckitErrorOf(() => runner.attach('a', '--x'))).code).toBe('SESSION_NOT_FOUND');
  expect(fake.calls()).toEqual([]);
});

test('SpriteRunner.exec() hands the environment over in a file that is gone afterwards', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await runner.start('a');
  const result = await runner.exec('a', ['sh', '-c', 'echo "$A|$B"'], { env: { A: 'x=1 "q"', B: '' } });
  expect(result.stdout).toBe('x=1 "q"|\n');
  const file =
    fake
      .calls()
      .at(-1)
      ?.argv.find((word) => word.endsWith('/env')) ?? '';
  expect(file).not.toBe('');
  expect(existsSync(file)).toBe(false);
  for (const env of [{ 'A B': '' }, { '': '' }, { A: 'a\u0000' }]) {
    expect((await wreckitErrorOf(() => runner.exec('a', ['true'], { env }))).code).toBe('USAGE');
  }
});

test('SpriteRunner.exec() gives the file of the environment to nobody else', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runtime = dir.join('runtime');
  await Bun.write(`${runtime}/keep`, '');
  const runner = new SpriteRunner({ wispPath: fake.path, env: { ...fake.env, XDG_RUNTIME_DIR: runtime } });
  await runner.start('a');
  fake.play({ exec: { hang: true } });
  const controller = new AbortController();
  const call = runner
    .exec('a', ['true'], { env: { A: 'b' }, signal: controller.signal })
    .catch(() => 'ended');
  await eventually(() => fake.verbs().includes('exec'), { what: 'the call' });
  const [entry = ''] = readdirSync(runtime).filter((name) => name.startsWith('wreckit-env-'));
  expect(statSync(`${runtime}/${entry}`).mode & 0o777).toBe(0o700);
  expect(statSync(`${runtime}/${entry}/env`).mode & 0o777).toBe(0o600);
  controller.abort(new Error('enough'));
  expect(await call).toBe('ended');
  expect(readdirSync(runtime)).toEqual(['keep']);
});

test('SpriteRunner.execCapture() keeps bytes as they are and caps what it keeps', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await runner.start('a');
  const odd = await runner.execCapture('a', ['printf', '\\377\\000\\n']);
  expect([...odd.stdout]).toEqual([255, 0, 10]);
  const much = await runner.execCapture('a', ['head', '-c', '100000', '/dev/zero'], { maxBytes: 1000 });
  expect(much.truncatedBytes).toBe(99_000);
  const echoed = await runner.execCapture('a', ['cat'], { stdin: new Uint8Array([1, 2, 255]) });
  expect([...echoed.stdout]).toEqual([1, 2, 255]);
  expect((await runner.execCapture('a', ['sh', '-c', 'exit 7'])).exitCode).toBe(7);
  expect((await runner.execCapture('nosuch', ['true'])).exitCode).toBe(125);
});

test('SpriteRunner.pull() stops wisp when its reader stops', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await runner.list();
  fake.play({ pull: { flood_bytes: 5_000_000, hang: true } });
  let bytes = 0;
  for await (const chunk of runner.pull('a', '/x')) {
    bytes += chunk.length;
    if (bytes > 1_000_000) break;
  }
  expect(bytes).toBeLessThan(20_000_000);
});

test('SpriteRunner.push() fails with what its source threw', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await runner.start('a');
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(512);
    throw new Error('disk on fire');
  }
  await expect(runner.push('a', broken(), '/home/sprite/x')).rejects.toThrow('disk on fire');
});

test('SpriteRunner.readFile() refuses more than was asked for instead of cutting it', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const runner = runnerOf(fake);
  await runner.start('a');
  await runner.writeFile('a', '/home/sprite/f', Buffer.alloc(5000));
  expect(await runner.readFile('a', '/home/sprite/f')).toHaveLength(5000);
  const error = await wreckitErrorOf(() => runner.readFile('a', '/home/sprite/f', { maxBytes: 1000 }));
  expect(error.details).toEqual({ size_bytes: 5000, max_bytes: 1000 });
});

test('SpriteRunner reports talk around an answer and sprites left out as warnings', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir, {
    list: { before: 'update available\n', stdout: { sprites: [{ name: 'a' }, {}] } },
  });
  const warnings: string[] = [];
  const runner = new SpriteRunner({
    wispPath: fake.path,
    env: fake.env,
    onWarning: (text) => warnings.push(text),
  });
  expect((await runner.list()).map(({ name }) => name)).toEqual(['a']);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain('update available');
});

test('runWispCommand() asks any verb for JSON and throws what it reports', async () => {
  using dir = tempDir();
  const fake = fakeWisp(dir);
  const options = { wispPath: fake.path, env: fake.env };
  expect((await runWispCommand(['list', '--prefix', 'a'], options)).data).toEqual({ sprites: [] });
  const error = await wreckitErrorOf(() => runWispCommand(['fs', 'ls', 'nosuch', '/'], options));
  expect(error.code).toBe('SPRITE_NOT_FOUND');
  expect(
    fake
      .calls()
      .map(({ argv }) => argv.join(' '))
      .slice(1),
  ).toEqual(['list --json --prefix a', 'fs ls --json nosuch /']);
});
