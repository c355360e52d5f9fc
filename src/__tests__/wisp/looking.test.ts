import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { runWisp } from './run-wisp.ts';

const PATH = process.env.PATH ?? '';
const LOOKS = [['engine'], ['doctor'], ['list'], ['gc', '--dry-run']];

test.each(LOOKS)('wisp %p makes nothing where no sprite ever was', async (...argv) => {
  using dir = tempDir();
  const home = dir.join('home');
  mkdirSync(home);
  const env = { HOME: home, PATH };
  const { exitCode, stdout } = await runWisp([...argv, '--json'], { env });
  expect([exitCode, JSON.parse(stdout).success]).toEqual([0, true]);
  expect(readdirSync(home)).toEqual([]);
  expect(existsSync(resolveStateDirs(env).runtime)).toBe(false);
});

test('wisp doctor looks at a state directory that has nothing of sprites in it yet', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('credentials.json'), '{}', { mode: 0o600 });
  const { stdout } = await runWisp(['doctor', '--json'], { env: { WISP_HOME: dir.path, PATH } });
  const { checks } = JSON.parse(stdout).data as { checks: { name: string; status: string }[] };
  const statusOf = (name: string) => checks.find((check) => check.name === name)?.status;
  expect(['state-directory', 'oci-runtime', 'disk', 'sprites'].map(statusOf)).toEqual([
    'ok',
    'ok',
    'ok',
    'ok',
  ]);
  expect(readdirSync(dir.path)).toEqual(['credentials.json']);
});

test('wisp doctor says where a state directory cannot be made', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('file'), '');
  const home = join(dir.join('file'), 'wisp');
  const { stdout } = await runWisp(['doctor', '--json'], { env: { WISP_HOME: home, PATH } });
  const [state] = JSON.parse(stdout).data.checks;
  expect([state.name, state.status]).toEqual(['state-directory', 'fail']);
  expect(state.message).toContain(home);
});
