import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageVersion } from '../../package-root.ts';
import { run } from '../../process/run.ts';
import { copyCheckout } from '../helpers/checkout.ts';
import { eventually } from '../helpers/eventually.ts';
import { RUNTIME_NAMES, runProgram, runtimeEnv } from '../helpers/programs.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

/** The programs built from the sources as they are now, run as a user runs them. */
let dir: TempDir;
let checkout: string;

beforeAll(() => {
  dir = tempDir();
  checkout = copyCheckout(dir.join('checkout'));
  const build = spawnSync('node', ['scripts/build.mjs', '--require-all'], {
    cwd: checkout,
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
}, 300_000);
afterAll(() => dir[Symbol.dispose]());

interface JsonAnswer {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly document: {
    success: boolean;
    verb: string;
    data?: Record<string, unknown>;
    error?: { code: string };
  };
}

describe.each([...RUNTIME_NAMES])('on %s', (runtime) => {
  const call = (program: string, ...args: string[]) =>
    runProgram([join(checkout, 'bin', program), ...args], { cwd: dir.path, env: runtimeEnv(runtime) });

  async function json(...args: string[]): Promise<JsonAnswer> {
    const { exitCode, stdout, stderr } = await call('wreckit', 'sprite', ...args);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    return { exitCode, stderr, document: JSON.parse(stdout) };
  }

  const name = `smoke-${runtime}`;

  test('both programs say their version', async () => {
    for (const program of ['wreckit', 'wisp']) {
      const { exitCode, stdout } = await call(program, '--version');
      expect({ exitCode, version: stdout.trim().split(' ').at(-1) }).toEqual({
        exitCode: 0,
        version: packageVersion(),
      });
    }
    expect(JSON.parse((await call('wisp', 'version', '--json')).stdout)).toMatchObject({
      success: true,
      data: { engine: 'wreckit-wisp', protocol: 1, version: packageVersion() },
    });
  });

  test('both programs explain themselves', async () => {
    expect((await call('wreckit', '--help')).stdout).toContain('sprite');
    expect((await call('wreckit', 'sprite', '--help')).stdout).toContain('start');
    expect((await call('wisp', '--help')).stdout).toContain('start');
  });

  test('both programs say that the current directory is gone', async () => {
    for (const program of ['wreckit', 'wisp']) {
      const gone = 'mkdir gone; cd gone; rmdir ../gone; exec "$@"';
      const argv = ['sh', '-c', gone, 'sh', join(checkout, 'bin', program), 'doctor', '--json'];
      const { exitCode, stdout } = await runProgram(argv, { cwd: dir.path, env: runtimeEnv(runtime) });
      expect([exitCode, JSON.parse(stdout).error.message]).toEqual([
        2,
        'current directory: it does not exist any more',
      ]);
    }
  });

  test('a sprite starts, runs commands, is listed and is killed', async () => {
    const started = await json('start', name, '--json');
    try {
      expect(started).toMatchObject({
        exitCode: 0,
        document: { success: true, data: { created: true, sprite: { name, state: 'running' } } },
      });
      expect((await json('start', name, '--json')).document).toMatchObject({ data: { created: false } });
      const script = 'printf "a\\0b"; echo err >&2; exit 3';
      expect(await call('wreckit', 'sprite', 'exec', name, '--', 'sh', '-c', script)).toMatchObject({
        exitCode: 3,
        stdout: 'a\0b',
        stderr: 'err\n',
      });
      const executed = await json('exec', name, '--json', '--', 'sh', '-c', 'id -un; echo err >&2; exit 3');
      expect(executed.document).toMatchObject({
        success: true,
        data: { exit_code: 3, signal: null, stdout: 'sprite\n', stderr: 'err\n' },
      });
      expect((await json('info', name, '--json')).document).toMatchObject({ data: { sprite: { name } } });
      expect((await json('list', '--json')).document).toMatchObject({
        data: { sprites: [{ name, state: 'running' }] },
      });
      expect((await call('wreckit', 'sprite', 'list')).stdout).toContain(name);
    } finally {
      const killed = await json('kill', name, '--json');
      expect(killed).toMatchObject({ exitCode: 0, document: { success: true, data: { killed: [name] } } });
    }
    expect((await json('list', '--json')).document).toMatchObject({ success: true, data: { sprites: [] } });
  });

  test('what is loaded only when it is needed is in the bundle', async () => {
    writeFileSync(dir.join('settings.json'), '{ // with a comment\n "max_iterations": 7, }');
    const shown = await call('wreckit', 'config', 'show', '--config', dir.join('settings.json'), '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ success: true });
    expect(shown.stdout).toContain('"max_iterations":7');

    await json('start', name, '--json');
    try {
      const typed = ['--tty', '--detach', '--', 'sh', '-c', 'echo on a screen; sleep 300'];
      expect(await call('wreckit', 'sprite', 'exec', name, ...typed)).toMatchObject({ exitCode: 0 });
      const hasText = async () => {
        const { document } = await json('attach', name, '--last', '--json');
        return String(document.data?.output_tail).includes('on a screen');
      };
      expect(await eventually(hasText, { timeoutMs: 20_000 })).toBe(true);
    } finally {
      await json('kill', name, '--json');
    }
  });

  test('wisp serve says when it is ready, and ends when it is told to', async () => {
    const stop = new AbortController();
    let output = '';
    const served = await run([join(checkout, 'bin/wisp'), 'serve'], {
      cwd: dir.path,
      env: runtimeEnv(runtime),
      signal: stop.signal,
      timeoutMs: 30_000,
      graceMs: 20_000,
      stdout: (chunk) => {
        output += Buffer.from(chunk).toString();
        if (output.includes('\n')) stop.abort();
      },
    });
    expect(output).toContain('.sock');
    expect({ timedOut: served.timedOut, signal: served.signal }).toEqual({ timedOut: false, signal: null });
  });

  test('what fails says so with its exit code and code', async () => {
    expect(await json('kill', 'nosuch', '--json')).toMatchObject({
      exitCode: 3,
      document: { success: false, error: { code: 'SPRITE_NOT_FOUND' } },
    });
    expect(await json('start', '../x', '--json')).toMatchObject({
      exitCode: 2,
      document: { success: false, error: { code: 'SPRITE_NAME_INVALID' } },
    });
  });
});
