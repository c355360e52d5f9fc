import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runSpriteAgent } from '../../agent/sprite-agent.ts';
import { SpriteRunner } from '../../agent/sprite-runner.ts';
import { packageRoot } from '../../package-root.ts';
import { SpriteAgentSchema } from '../../schemas.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { FAKE_TOKEN, type FakeScenario, type FakeWisp, fakeSprite } from '../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { isSane, Pty } from '../wisp/pty.ts';

interface Fly {
  readonly fake: FakeWisp;
  readonly client: SpriteRunner;
  readonly warnings: string[];
  /** What the stand-in was called with since the last `play`. */
  readonly argvs: () => readonly string[][];
}

function fly(dir: TempDir, scenario?: FakeScenario, more: Record<string, string> = {}): Fly {
  const fake = fakeSprite(dir, scenario);
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  const client = new SpriteRunner({ wispPath: fake.path, env: { ...fake.env, ...more }, onWarning });
  return { fake, client, warnings, argvs: () => fake.calls().map(({ argv }) => [...argv]) };
}

const LIST = ['api', '/v1/sprites'];
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("SpriteRunner on Fly's sprite command", () => {
  test('start() creates without a console, then looks; a second time it finds the sprite', async () => {
    using dir = tempDir();
    const { client, fake, argvs } = fly(dir);
    const first = await client.start('demo');
    expect([first.created, first.sprite.name, first.sprite.state, first.sprite.engine]).toEqual([
      true,
      'demo',
      'cold',
      'cloud',
    ]);
    expect(argvs()).toEqual([LIST, ['create', '--skip-console', 'demo'], LIST]);
    fake.play({});
    expect((await client.start('demo')).created).toBe(false);
    expect(argvs()).toEqual([LIST]);
  });

  test('start() tells a failure in its words, and believes the list where the words are wrong', async () => {
    using dir = tempDir();
    const { client, fake, warnings } = fly(dir);
    fake.play({ create: { stderr: 'Error: sprite limit reached\n', exit: 1 } });
    const refused = await wreckitErrorOf(() => client.start('demo'));
    expect([refused.code, refused.message]).toEqual([
      'SPRITE_START_FAILED',
      'start sprite "demo": sprite limit reached',
    ]);
    fake.play({ create: { stdout: '✓ Created sprite demo\n' } });
    expect((await wreckitErrorOf(() => client.start('demo'))).message).toContain('not in the list');
    const there = { sprites: [{ name: 'demo', status: 'running' }] };
    fake.play({
      api: [{ stdout: { sprites: [] } }, { stdout: there }],
      create: { stderr: 'Error: 500 internal server error\n', exit: 1 },
    });
    expect((await client.start('demo')).created).toBe(true);
    expect(warnings.join()).toContain('500 internal server error');
  });

  test('list() reads all pages, states and labels, and filters them itself', async () => {
    using dir = tempDir();
    const { client, fake, argvs } = fly(dir, {}, { WISP_PAGE: '2' });
    for (const name of ['a1', 'a2', 'b1', 'b2', 'b3']) await client.start(name);
    fake.play({});
    expect((await client.list()).map(({ name }) => name)).toEqual(['a1', 'a2', 'b1', 'b2', 'b3']);
    expect(argvs()).toEqual([
      LIST,
      ['api', '/v1/sprites?continuation_token=2'],
      ['api', '/v1/sprites?continuation_token=4'],
    ]);
    expect((await client.list({ prefix: 'b' })).map(({ name }) => name)).toEqual(['b1', 'b2', 'b3']);
    const labelled = { name: 'x', status: 'warm', labels: ['team=web', 'plain'] };
    fake.play({ api: { stdout: { sprites: [labelled, { name: 'y' }] } } });
    expect(await client.list({ labels: { team: 'web' } })).toMatchObject([
      { name: 'x', state: 'warm', labels: { team: 'web', plain: '' } },
    ]);
  });

  test('list() takes no error, no page that comes again and no noise for "no sprites"', async () => {
    using dir = tempDir();
    const { client, fake } = fly(dir);
    const code = async (reply: object) => {
      fake.play({ api: reply });
      const { code, exitCode } = await wreckitErrorOf(() => client.list());
      return [code, exitCode];
    };
    expect(await code({ stdout: { error: 'unauthorized', message: 'unauthorized' } })).toEqual([
      'AUTH_REJECTED',
      4,
    ]);
    expect(await code({ stdout: { error: 'internal', message: 'boom' } })).toEqual(['WISP_PROTOCOL', 1]);
    expect(await code({ stdout: '' })).toEqual(['WISP_PROTOCOL', 1]);
    expect(await code({ stdout: '<html>bad gateway</html>' })).toEqual(['WISP_PROTOCOL', 1]);
    expect(await code({ stdout: { sprites: [], has_more: true, next_continuation_token: 'x' } })).toEqual([
      'WISP_PROTOCOL',
      1,
    ]);
    expect(await code({ stderr: 'curl: (6) Could not resolve host\n', exit: 6 })).toEqual([
      'ENGINE_UNAVAILABLE',
      6,
    ]);
    const { SPRITES_TOKEN: _, ...env } = fake.env;
    fake.play({});
    const login = await wreckitErrorOf(() => new SpriteRunner({ wispPath: fake.path, env }).list());
    expect([login.code, login.hint]).toEqual(['AUTH_MISSING', 'log in: sprite login, or set SPRITES_TOKEN']);
  });

  test('exec() passes argv, directory, environment and input, and answers with what the command did', async () => {
    using dir = tempDir();
    const { client, fake, argvs, warnings } = fly(dir);
    await client.start('demo');
    fake.play({});
    const script = 'cat; echo "$1" >&2; exit 3';
    const { exit_code, stdout, stderr } = await client.exec('demo', ['sh', '-c', script, 'x', '-a b'], {
      dir: '/tmp',
      stdin: 'in',
    });
    expect([exit_code, stdout, stderr]).toEqual([3, 'in', '-a b\n']);
    expect(argvs()).toEqual([
      ['exec', '-s', 'demo', '--dir', '/tmp', '--no-port-forward', '--', 'sh', '-c', script, 'x', '-a b'],
    ]);
    const quiet = await client.exec('demo', ['cat']);
    expect([quiet.exit_code, quiet.stdout]).toEqual([0, '']);
    const bytes = await client.execCapture('demo', ['printf', '\\377\\001'], { stdin: 'ignore' });
    expect([...bytes.stdout]).toEqual([255, 1]);
    const big = await client.exec('demo', ['sh', '-c', 'head -c 5000 /dev/zero'], { maxOutput: '1000' });
    expect(big.stdout_truncated_bytes).toBe(4000);
    expect(big.stdout).toContain('4000 bytes dropped');
    expect(warnings).toEqual([]);
  });

  test('exec() names both possible sources of an exit code that two may have', async () => {
    using dir = tempDir();
    const { client, fake, warnings } = fly(dir);
    await client.start('demo');
    const remote = await client.exec('demo', ['false']);
    const missing = await client.exec('nosuch', ['true']);
    for (const answer of [remote, missing]) {
      expect([answer.exit_code, answer.exit_code_of]).toEqual([1, ['command', 'sprite']]);
    }
    expect(missing.stderr).toBe('Error: sprite not found: nosuch\n');
    expect(new Set(warnings).size).toBe(1);
    expect(warnings[0]).toContain("exit code 1 may be the command's, or a failure of Fly's sprite command");
    expect((await client.exec('demo', ['no-such-program'])).exit_code).toBe(127);
    expect((await client.exec('demo', ['true'])).exit_code_of).toEqual(['command']);
    fake.play({});
    const code = await client.passThrough(
      { words: ['exec'], args: ['demo', '--', 'false'] },
      { stdout: 'ignore' },
    );
    expect([code, warnings.length]).toEqual([1, 3]);
  });

  test('exec() has a deadline, and ends the command it waits for', async () => {
    using dir = tempDir();
    const { client, fake } = fly(dir, { exec: { hang: true } });
    expect((await wreckitErrorOf(() => client.exec('demo', ['x'], { timeoutMs: 1000 }))).code).toBe(
      'TIMEOUT',
    );
    const [call] = fake.calls();
    expect(() => process.kill(call?.pid ?? 0, 0)).toThrow('ESRCH');
  });

  test('attach hands the terminal over to its console, and ends as that does', async () => {
    using dir = tempDir();
    const { client, fake } = fly(dir);
    await client.start('demo');
    fake.play({});
    const argv = [join(packageRoot(), 'bin', 'wreckit'), 'sprite', 'attach', 'demo'];
    const env = { ...fake.env, WRECKIT_WISP_PATH: fake.path };
    await using pty = new Pty(argv, { env });
    await pty.see(/[$#] /);
    pty.type('test -t 0 && echo "on a $((40 + 2)) terminal"; exit 7\r');
    await pty.see('on a 42 terminal');
    const { exitCode, settings } = await pty.end();
    expect([exitCode, isSane(settings)]).toEqual([7, true]);
    expect(fake.calls().map((call) => call.argv)).toEqual([['console', '-s', 'demo']]);
  });

  test('kill() destroys by force, and says gone of what the list no longer has', async () => {
    using dir = tempDir();
    const { client, fake, argvs } = fly(dir);
    await client.start('a');
    await client.start('b');
    fake.play({});
    expect(await client.kill(['a'])).toEqual(['a']);
    expect(argvs()).toEqual([LIST, ['destroy', '-s', 'a', '--force'], LIST]);
    const missing = await wreckitErrorOf(() => client.kill(['b', 'nosuch']));
    expect([missing.code, missing.details.killed]).toEqual(['SPRITE_NOT_FOUND', ['b']]);
    await client.start('c');
    fake.play({ destroy: { stdout: '✓ Destroyed sprite c\n' } });
    const alive = await wreckitErrorOf(() => client.kill(['c']));
    expect([alive.code, alive.message]).toEqual([
      'SPRITE_KILL_FAILED',
      'kill sprite "c": it is still in the list',
    ]);
    expect(alive.details).toEqual({ killed: [], not_killed: ['c'] });
    fake.play({ destroy: { stderr: 'Error: permission denied\n', exit: 1 } });
    expect((await wreckitErrorOf(() => client.kill(['c']))).message).toContain('permission denied');
    fake.play({});
    expect(await client.killLabelled({ team: 'web' })).toEqual([]);
    expect((await client.list()).map(({ name }) => name)).toEqual(['c']);
  });

  test('the token is in the environment under both names, and in no argument', async () => {
    using dir = tempDir();
    const { client, fake } = fly(dir);
    await client.start('demo');
    await client.exec('demo', ['true']);
    await client.kill(['demo']);
    for (const { argv, env } of fake.calls()) {
      expect([env.SPRITE_TOKEN, env.SPRITES_TOKEN]).toEqual([FAKE_TOKEN, FAKE_TOKEN]);
      expect(argv.join(' ')).not.toContain('canary');
    }
    const given = new SpriteRunner({ wispPath: fake.path, env: fake.env, token: 'another' });
    fake.play({ api: { stderr: 'Error: another is refused\n', exit: 1 } });
    expect((await wreckitErrorOf(() => given.list())).message).not.toContain('another');
    expect(fake.calls()[0]?.env).toMatchObject({ SPRITE_TOKEN: 'another', SPRITES_TOKEN: 'another' });
  });

  test('what it has no words for is UNSUPPORTED by name, and nothing is run', async () => {
    using dir = tempDir();
    const { client, fake } = fly(dir);
    const refusals: [string, () => unknown][] = [
      ['--image', () => client.start('demo', { image: '/img' })],
      ['--memory', () => client.start('demo', { memory: '1GiB' })],
      ['--cpus', () => client.start('demo', { cpus: '1' })],
      ['--pids', () => client.start('demo', { pids: '10' })],
      ['--network', () => client.start('demo', { network: 'none' })],
      ['--allow', () => client.start('demo', { allow: ['a.example'] })],
      ['--env', () => client.start('demo', { env: { A: 'b' } })],
      ['--env-file', () => client.start('demo', { envFiles: ['f'] })],
      ['--label', () => client.start('demo', { labels: { a: 'b' } })],
      ['--ttl', () => client.start('demo', { ttl: '2h' })],
      ['--owner', () => client.start('demo', { owner: 'run' })],
      ['--from', () => client.start('demo', { from: 'other' })],
      ['--min-isolation', () => client.start('demo', { minIsolation: 'vm' })],
      ['--user', () => client.exec('demo', ['true'], { user: 'root' })],
      ['--timeout', () => client.exec('demo', ['true'], { commandTimeout: '1s' })],
      ['--env-file', () => client.exec('demo', ['true'], { env: { SECRET: 'x' } })],
      ['--detach', () => client.execDetached('demo', ['true'])],
      ['sh -c', () => client.exec('demo', ['echo a b'])],
      ['--json', () => client.attach('demo')],
      ['version', () => client.version()],
      ['info', () => client.info('demo')],
      ['stop', () => client.stop('demo')],
      ['wake', () => client.wake('demo')],
      ['sessions', () => client.sessions('demo')],
      ['logs', () => read(client.logs('demo', 's1'))],
      ['kill-session', () => client.killSession('demo', 's1')],
      ['fs read', () => client.readFile('demo', '/f')],
      ['fs write', () => client.writeFile('demo', '/f', 'x')],
      ['fs ls', () => client.listFiles('demo', '/')],
      ['push', () => client.push('demo', one(), '/d')],
      ['pull', () => read(client.pull('demo', '/d'))],
      ['checkpoint create', () => client.createCheckpoint('demo')],
      ['checkpoint restore', () => client.restoreCheckpoint('demo', 'v1')],
      ['gc', () => client.gc()],
      ['doctor', () => client.doctor()],
      ['run', () => client.assertCanRunAgents()],
      ['cloud', () => new SpriteRunner({ wispPath: fake.path, env: fake.env, engine: 'local' }).list()],
    ];
    for (const [word, call] of refusals) {
      const { code, message, exitCode } = await wreckitErrorOf(call);
      expect([word, code, exitCode]).toEqual([word, 'UNSUPPORTED', 9]);
      expect(message).toContain(word);
    }
    const handed = (args: string[], verb = 'exec') => client.passThrough({ words: [verb], args });
    for (const [args, verb] of [
      [['demo', '--env', 'A=1,2', '--', 'true'], 'exec'],
      [['demo', '--detach-key', 'none', '--', 'true'], 'exec'],
      [['demo', 's1'], 'attach'],
      [['demo', '--last'], 'attach'],
      [['demo', '--read-only'], 'attach'],
      [['demo', '--watch'], 'ports'],
    ] as const) {
      expect((await wreckitErrorOf(() => handed([...args], verb))).code).toBe('UNSUPPORTED');
    }
    expect(fake.calls()).toEqual([]);
  });

  test('no agent is run through it: files could be neither pushed nor pulled', async () => {
    using dir = tempDir();
    const { fake } = fly(dir);
    const config = SpriteAgentSchema.parse({
      kind: 'sprite',
      wispPath: fake.path,
      agent: { kind: 'process', command: 'true', args: [], completion_signal: 'DONE' },
    });
    const run = () => runSpriteAgent({ config, cwd: dir.path, prompt: 'x', sourceEnv: fake.env });
    expect((await wreckitErrorOf(run)).code).toBe('UNSUPPORTED');
    expect(fake.calls()).toEqual([]);
  });

  test('a login of its own is enough', async () => {
    using dir = tempDir();
    const fake = fakeSprite(dir);
    mkdirSync(dir.join('.sprites'));
    writeFileSync(dir.join('.sprites/sprites.json'), '{}');
    const { SPRITES_TOKEN: _, ...env } = fake.env;
    expect(await new SpriteRunner({ wispPath: fake.path, env }).list()).toEqual([]);
    expect(fake.calls()[0]?.env.SPRITE_TOKEN).toBeUndefined();
  });
});

async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let all = '';
  for await (const chunk of chunks) all += text(chunk);
  return all;
}

async function* one(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x');
}
