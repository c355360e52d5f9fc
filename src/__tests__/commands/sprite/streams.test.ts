import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../../package-root.ts';
import { run } from '../../../process/run.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type FakeWisp, fakeWisp } from '../../helpers/fake-wisp.ts';
import { type RuntimeName, runtimeEnv } from '../../helpers/programs.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';

const WRECKIT = join(packageRoot(), 'bin', 'wreckit');
const RUNTIMES: readonly RuntimeName[] = ['bun', 'node'];

interface Setup {
  readonly fake: FakeWisp;
  readonly env: Record<string, string>;
  exec(args: readonly string[], stdin?: Uint8Array): ReturnType<typeof run>;
}

async function setup(dir: TempDir, runtime: RuntimeName): Promise<Setup> {
  const fake = fakeWisp(dir);
  const env = { ...runtimeEnv(runtime), ...fake.env, WRECKIT_WISP_PATH: fake.path };
  const exec = (args: readonly string[], stdin?: Uint8Array): ReturnType<typeof run> =>
    run([WRECKIT, 'sprite', 'exec', 'demo', ...args], { env, cwd: dir.path, stdin: stdin ?? 'ignore' });
  await run([WRECKIT, 'sprite', 'start', 'demo'], { env, cwd: dir.path });
  return { fake, env, exec };
}

for (const runtime of RUNTIMES) {
  test(`sprite exec on ${runtime} ends with the exit code of the command, whatever it is`, async () => {
    using dir = tempDir();
    const { exec } = await setup(dir, runtime);
    for (const code of [0, 1, 125]) {
      expect((await exec(['--', 'sh', '-c', `exit ${code}`])).exitCode).toBe(code);
    }
    expect((await exec(['--', 'sh', '-c', 'kill -9 $$'])).exitCode).toBe(137);
    expect((await exec(['--', 'no-such-program'])).exitCode).toBe(127);
  });

  test(`sprite exec on ${runtime} passes bytes through in both directions, untouched`, async () => {
    using dir = tempDir();
    const { exec } = await setup(dir, runtime);
    const bytes = new Uint8Array(300_000).map((_, index) => (index * 7 + (index >> 8)) % 256);
    const echoed = await exec(['--stdin', '--', 'cat'], bytes);
    expect(Buffer.from(echoed.stdout).equals(Buffer.from(bytes))).toBe(true);
    expect(echoed.stderr).toHaveLength(0);
  });

  test(`sprite exec on ${runtime} leaves what comes after -- to the command`, async () => {
    using dir = tempDir();
    const { exec } = await setup(dir, runtime);
    const { stdout } = await exec([
      '--',
      'printf',
      '%s|',
      '-la',
      '--json',
      '--',
      '--cwd',
      '',
      'a b',
      '$HOME',
      '*',
    ]);
    expect(Buffer.from(stdout).toString()).toBe('-la|--json|--|--cwd||a b|$HOME|*|');
  });
}

test('sprite exec gives the command an empty stdin unless it is asked for', async () => {
  using dir = tempDir();
  const { exec } = await setup(dir, 'bun');
  const { stdout, exitCode } = await exec(['--', 'cat'], Buffer.from('not for you'));
  expect([stdout.length, exitCode]).toEqual([0, 0]);
});

test('sprite exec of an unknown sprite ends with 125, its reason on stderr alone', async () => {
  using dir = tempDir();
  const { env } = await setup(dir, 'bun');
  const result = await run([WRECKIT, 'sprite', 'exec', 'nosuch', '--', 'true'], { env });
  expect(result.exitCode).toBe(125);
  expect(result.stdout).toHaveLength(0);
  expect(Buffer.from(result.stderr).toString()).toContain('nosuch');
});

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${name} to sprite exec reaches wisp, and the program ends with ${code} once wisp has`, async () => {
    using dir = tempDir();
    const { fake, env } = await setup(dir, 'bun');
    fake.play({ exec: { hang: true, stdout: 'ready\n' } });
    const child = spawn(WRECKIT, ['sprite', 'exec', 'demo', '--', 'sleep', '100'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill(name);
    expect(await once(child, 'exit')).toEqual([code, null]);
  });
}

test('a second signal ends sprite exec though wisp does not', async () => {
  using dir = tempDir();
  const { fake, env } = await setup(dir, 'bun');
  fake.play({ exec: { hang: 'hard', stdout: 'ready\n' } });
  const child = spawn(WRECKIT, ['sprite', 'exec', 'demo', '--', 'sleep', '100'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await eventually(() => fake.calls().some(({ verb }) => verb === 'exec SIGTERM'), { what: 'the signal' });
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([143, null]);
  expect(fake.calls().filter(({ verb }) => verb === 'exec SIGTERM')).toHaveLength(2);
  const { pid } = fake.calls().find(({ verb }) => verb === 'exec') ?? {};
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
});

test('sprite exec stops writing when its reader leaves', async () => {
  using dir = tempDir();
  const { env } = await setup(dir, 'bun');
  const script = '"$0" sprite exec demo -- yes | head -n 1';
  const { stdout, exitCode } = await run(['sh', '-c', script, WRECKIT], { env, timeoutMs: 10_000 });
  expect([Buffer.from(stdout).toString(), exitCode]).toEqual(['y\n', 0]);
});
