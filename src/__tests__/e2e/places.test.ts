/** Where sprites and settings are kept, asked by users and from places that have no such place. */
import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { runProgram } from '../helpers/programs.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/** In no user database: the user of a container that was started with a bare number. */
const NOBODY_KNOWS = ['unshare', '--user', '--map-user=54321', '--map-group=54321', '--'];
const PATH = process.env.PATH ?? '';

async function ask(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
  const [name = '', ...args] = argv;
  const program = join(packageRoot(), 'bin', name);
  const { exitCode, stdout } = await runProgram([...NOBODY_KNOWS, program, ...args, '--json'], {
    cwd,
    env: { PATH, ...env },
  });
  return { exitCode, document: JSON.parse(stdout) };
}

for (const argv of [
  ['wisp', 'list'],
  ['wisp', 'start', 'demo'],
  ['wreckit', 'sprite', 'list'],
]) {
  test(`${argv.join(' ')}: a user without a home is told what to set`, async () => {
    using dir = tempDir();
    const { exitCode, document } = await ask(argv, dir.path, {});
    expect(document.error).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: 'state directory: this user has no home directory',
      hint: 'set WISP_HOME to a directory you can write to',
    });
    expect(exitCode).toBe(6);
  });
}

test('a user without a home needs none where WISP_HOME is set', async () => {
  using dir = tempDir();
  const env = { WISP_HOME: dir.join('sprites') };
  const { exitCode, document } = await ask(['wreckit', 'sprite', 'list'], dir.path, env);
  expect({ exitCode, sprites: document.data.sprites }).toEqual({ exitCode: 0, sprites: [] });
  expect((await ask(['wreckit', 'init', '--dry-run'], dir.path, env)).exitCode).toBe(0);
});

test('a state directory that is no directory is told as the fault of the place', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('file'), '');
  const env = { HOME: dir.path, WISP_HOME: dir.join('file') };
  for (const argv of [
    ['wisp', 'list'],
    ['wisp', 'info', 'demo'],
    ['wisp', 'start', 'demo'],
  ]) {
    const { exitCode, document } = await ask(argv, dir.path, env);
    expect([exitCode, document.error.code]).toEqual([6, 'ENGINE_UNAVAILABLE']);
    expect(document.error.message).toContain(dir.join('file'));
  }
});

test('settings in a directory closed to this user are a faulty configuration, never passed over', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('project', '.wreckit'), { recursive: true });
  mkdirSync(dir.join('home'), { mode: 0o000 });
  const env = { HOME: dir.join('home'), WISP_HOME: dir.join('sprites') };
  const { exitCode, document } = await ask(['wreckit', 'sprite', 'list'], dir.join('project'), env);
  expect([exitCode, document.error.code]).toEqual([2, 'CONFIG_INVALID']);
  expect(document.error.message).toContain('~/.wreckitrc cannot be read: EACCES');
});

test('--cwd leads out of a working directory that was removed', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('gone'));
  const env = { PATH, HOME: dir.path, WISP_HOME: dir.join('sprites') };
  const script = `rmdir ../gone && exec ${join(packageRoot(), 'bin', 'wreckit')} --cwd / sprite list --json`;
  const { exitCode, stdout } = await runProgram(['sh', '-c', script], { cwd: dir.join('gone'), env });
  expect({ exitCode, sprites: JSON.parse(stdout).data?.sprites }).toEqual({ exitCode: 0, sprites: [] });
});
