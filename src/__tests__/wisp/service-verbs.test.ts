import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { ServiceDataSchema, ServicesDataSchema } from '../../contract/schemas.ts';
import { packageRoot } from '../../package-root.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { localSprite } from '../helpers/local-sprite.ts';
import { wreckitJson } from '../helpers/wreckit.ts';

const LIMIT_MS = 120_000;

/** One command line of a program as a user would type it. */
async function typed(program: 'wisp' | 'wreckit', home: string, args: readonly string[]) {
  const env = { ...process.env, WISP_HOME: home } as Record<string, string>;
  const result = await run([join(packageRoot(), 'bin', program), ...args], { env, timeoutMs: LIMIT_MS });
  const [stdout, stderr] = [decodeUtf8(result.stdout), decodeUtf8(result.stderr)];
  return { exitCode: result.exitCode, stdout, stderr };
}

test(
  'wisp service does all of it, in words and as JSON',
  async () => {
    await using sprite = await localSprite();
    const wisp = async (...args: string[]) => await typed('wisp', sprite.home, args);
    const json = async (...args: string[]) => JSON.parse((await wisp('--json', ...args)).stdout).data;
    expect((await wisp('service', 'list', 'demo')).stdout).toContain('add one: wisp service add demo web');
    const script = 'echo "hello $NAME"; echo oops >&2; exec sleep 100000';
    const added = await json(
      'service',
      'add',
      'demo',
      'web',
      '--env',
      'NAME=secret-x',
      '--http-port',
      '8000',
      '--',
      'sh',
      '-c',
      script,
    );
    expect(ServiceDataSchema.parse(added).service).toMatchObject({
      status: 'running',
      env_names: ['NAME'],
      http_port: 8000,
    });
    expect(JSON.stringify(added)).not.toContain('secret-x');
    expect(
      (await wisp('service', 'add', 'demo', 'api', '--needs', 'web', '--', 'sleep', '1000')).stdout,
    ).toMatch(/^api: running, pid \d+\n$/);
    const list = await wisp('service', 'list', 'demo');
    expect(list.stdout).toMatch(
      /^SERVICE +STATUS +PID .*\napi +running .* web +sleep 1000\nweb +running +\d+ +8000 /,
    );
    expect((await wisp('info', 'demo')).stdout).toContain('\nSERVICE  STATUS');
    expect(await wisp('service', 'logs', 'demo', 'web')).toEqual({
      exitCode: 0,
      stdout: 'hello secret-x\n',
      stderr: 'oops\n',
    });
    expect((await wisp('service', 'logs', 'demo', 'web', '--from', '-4')).stdout).toBe('t-x\n');
    const logs = await json('service', 'logs', 'demo', 'web', '--lines', '1');
    expect(logs).toMatchObject({ stdout: 'hello secret-x\n', stderr: 'oops\n', stdout_next_offset: 15 });

    const broken = await wisp('service', 'add', 'demo', 'bad', '--', 'nosuchprogram');
    expect(broken.stdout).toMatch(
      /^bad: failed, it ended with exit code 127; tried again .*\nsee what it printed: wisp service logs demo bad\n$/,
    );
    for (const [code, ...args] of [
      [2, 'add', 'demo', 'signal', '--', 'x'],
      [2, 'add', 'demo', 'x', '--needs', 'nosuch', '--', 'x'],
      [2, 'add', 'demo', 'x', '--http-port', '0', '--', 'x'],
      [2, 'add', 'demo', 'x'],
      [2, 'logs', 'demo', 'web', '--from', '1', '--lines', '1'],
      [2, 'signal', 'demo', 'web', 'NOSUCH'],
      [3, 'stop', 'demo', 'nosuch'],
      [3, 'list', 'nosuch'],
      [5, 'rm', 'demo', 'web'],
      [5, 'add', 'demo', 'x', '--http-port', '81', '--', 'x'],
    ] as const) {
      const { exitCode, stderr } = await wisp('service', ...args);
      expect(`${args.join(' ')}: ${exitCode}`).toBe(`${args.join(' ')}: ${code}`);
      expect(stderr).toMatch(/^error: .*\nhint: /);
    }
    expect((await wisp('service', 'signal', 'demo', 'web', 'CONT')).stdout).toBe('sent CONT to web\n');
    expect((await wisp('service', 'restart', 'demo', 'api')).stdout).toMatch(/^api: running/);
    expect((await wisp('service', 'stop', 'demo', 'api', '--grace', '1s')).stdout).toBe('api: stopped\n');
    expect((await wisp('service', 'stop', 'demo', 'api')).exitCode).toBe(5);
    expect((await wisp('service', 'start', 'demo', 'api')).stdout).toMatch(/^api: running/);
    expect(await json('service', 'rm', 'demo', 'api')).toEqual({ removed: 'api' });
    const left = ServicesDataSchema.parse(await json('service', 'list', 'demo')).services;
    expect(left.map(({ name }) => name)).toEqual(['bad', 'web']);
  },
  LIMIT_MS,
);

test(
  'wreckit sprite service passes on what wisp says, and completes names',
  async () => {
    await using sprite = await localSprite();
    const wreckit = async (...args: string[]) =>
      await typed('wreckit', sprite.home, ['sprite', 'service', ...args]);
    const added = await wreckit(
      'add',
      'demo',
      'web',
      '--env',
      'A=1',
      '--',
      'sh',
      '-c',
      'echo "up $A"; exec sleep 1000',
    );
    expect(added).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^web: running, pid \d+\n$/) });
    expect((await wreckit('logs', 'demo', 'web', '--lines', '5')).stdout).toBe('up 1\n');
    const { stdout } = await wreckit('list', 'demo', '--json');
    expect(ServicesDataSchema.parse(JSON.parse(stdout).data).services).toMatchObject([
      { name: 'web', status: 'running' },
    ]);
    expect(await wreckit('stop', 'demo', 'nosuch')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('error: service "nosuch"'),
    });
    const planned = await wreckit('add', 'demo', 'x', '--dry-run', '--', 'true');
    expect(planned.stdout).toMatch(/^would run: \S*wisp service add demo x -- true\n$/);

    const options = { env: { ...process.env, WISP_HOME: sprite.home } as Record<string, string> };
    const words = ['__complete', '--', 'sprite', 'service', 'stop', 'demo', ''];
    const { document } = await wreckitJson(words, options);
    expect(document.data.candidates).toEqual([{ value: 'web', description: 'running' }]);
    expect((await wreckit('rm', 'demo', 'web')).stdout).toBe('removed web\n');
  },
  LIMIT_MS,
);
