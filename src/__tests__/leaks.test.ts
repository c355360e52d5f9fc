import { afterAll, expect, test } from 'bun:test';
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './helpers/eventually.ts';
import { describe, findLeaks, SCOPE_VARIABLE, settledLeaks, spriteGroups } from './helpers/leaks.ts';

const groups = spriteGroups();
const scope = mkdtempSync(join(tmpdir(), 'leaks-'));
afterAll(() => rmSync(scope, { recursive: true, force: true }));

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

function start(argv: readonly [string, ...string[]], options: SpawnOptions = {}) {
  const [program, ...args] = argv;
  const child = spawn(program, args, { stdio: 'ignore', env: {}, cwd: '/', ...options });
  children.push(child);
  return child;
}

test('settledLeaks() is empty for a scope that nothing uses', async () => {
  expect(describe(await settledLeaks(scope, groups))).toEqual([]);
});

test('findLeaks() finds a process by its environment, its arguments and its directory', async () => {
  const byEnvironment = start(['/bin/sleep', '300'], { env: { [SCOPE_VARIABLE]: scope } });
  const byArgument = start(['/bin/sleep', '300'], { argv0: `${scope}/argument` });
  const byDirectory = start(['/bin/sleep', '300'], { cwd: scope });
  const stranger = start(['/bin/sleep', '300']);
  const pids = findLeaks(scope).processes.map(({ pid }) => pid);
  for (const child of [byEnvironment, byArgument, byDirectory]) expect(pids).toContain(child.pid as number);
  expect(pids).not.toContain(stranger.pid as number);
  const leaks = describe(await settledLeaks(scope, groups, 50));
  expect(leaks).toContain(`process ${byEnvironment.pid}: /bin/sleep 300`);
  for (const child of children.splice(0)) child.kill('SIGKILL');
  expect(describe(await settledLeaks(scope, groups))).toEqual([]);
});

test('findLeaks() finds a mount in a namespace of its own by the process that holds it', async () => {
  const point = join(scope, 'point');
  mkdirSync(point);
  const script = 'mount -t tmpfs none "$0" && cd / && exec env -i sleep 300';
  const child = start(['/usr/bin/unshare', '-Urm', '/bin/sh', '-c', script, point]);
  await eventually(() => findLeaks(scope).processes.some(({ command }) => command === 'sleep 300'));
  expect(findLeaks(scope).processes.map(({ pid }) => pid)).toContain(child.pid as number);
  child.kill('SIGKILL');
  rmSync(point, { recursive: true });
  expect(describe(await settledLeaks(scope, groups))).toEqual([]);
});

test('findLeaks() finds files, and takes the caches of tools for none', () => {
  writeFileSync(join(scope, 'left'), '');
  mkdirSync(join(scope, 'tsx-0'));
  mkdirSync(join(scope, 'home', '.local', 'state', 'wisp', 'sprites', 'demo'), { recursive: true });
  expect(findLeaks(scope).files).toEqual(['left', 'home/.local/state/wisp/sprites/demo']);
});

test('a test file that leaves something behind fails', () => {
  const dir = mkdtempSync(join(tmpdir(), 'leaky-'));
  const leaky = join(dir, 'leaky.test.ts');
  const body = "test('ok', () => writeFileSync(join(tmpdir(), 'left'), ''));";
  const imports =
    "import { test } from 'bun:test'; import { writeFileSync } from 'node:fs'; import { tmpdir } from 'node:os'; import { join } from 'node:path';";
  writeFileSync(leaky, `${imports}\n${body}\n`);
  const root = join(import.meta.dirname, '..', '..');
  const args = ['test', '--preload', join(root, 'src/__tests__/helpers/setup.ts'), './leaky.test.ts'];
  const result = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  rmSync(dir, { recursive: true });
  expect(result.stderr).toMatch(/leaky\.test\.ts left behind:[\s\S]*file left/);
  expect(result.status).toBe(1);
}, 20_000);
