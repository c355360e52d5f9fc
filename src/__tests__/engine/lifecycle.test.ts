import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sprite } from '../../contract/schemas.ts';
import type { StartSpec } from '../../engine/engine.ts';
import { probeRuntimes } from '../../engine/local/runtime.ts';
import { findTool } from '../../engine/local/tools.ts';
import { toWreckitError } from '../../errors.ts';
import { testAsRoot } from '../helpers/as-root.ts';
import { execIn, localEngine, localSprite } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const isRoot = process.getuid?.() === 0;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return toWreckitError(error).code;
  }
}

test('start() makes a sprite in which a command runs as the user "sprite" in its home', async () => {
  await using local = localEngine();
  const { sprite, created } = await local.engine.start({ name: 'demo', labels: { team: 'a' } });
  expect({ created, state: sprite.state, isolation: sprite.isolation, network: sprite.network }).toEqual({
    created: true,
    state: 'running',
    isolation: 'namespace',
    network: 'none',
  });
  const { stdout } = await execIn(local.engine, 'demo', 'whoami; pwd; hostname; echo $HOME');
  expect(stdout).toBe('sprite\n/home/sprite\ndemo\n/home/sprite\n');
});

test('start() of a running sprite returns it, and refuses another setting by name', async () => {
  await using sprite = await localSprite();
  expect((await sprite.engine.start({ name: 'demo' })).created).toBe(false);
  expect(await codeOf(sprite.engine.start({ name: 'demo', network: 'open' }))).toBe('SPRITE_EXISTS');
});

test('start() of a running sprite says what it leaves as it is, and nothing where that is what was asked for', async () => {
  await using local = localEngine();
  const asked = {
    name: 'demo',
    env: { A: '1' },
    labels: { of: 'me' },
    network: 'filtered',
    allow: ['a.example'],
  } as const;
  await local.engine.start(asked);
  const warningsOf = async (spec: StartSpec) => (await local.engine.start(spec)).sprite.warnings ?? [];
  const usual = await warningsOf(asked);
  const left = (what: string) => [
    ...usual,
    `exists already: ${what} of this start changed nothing (to have it, kill the sprite first)`,
  ];
  expect(usual.filter((warning) => warning.startsWith('exists already'))).toEqual([]);
  expect(await warningsOf({ ...asked, env: { A: '2' } })).toEqual(left('env'));
  expect(await warningsOf({ name: 'demo', labels: { of: 'you' } })).toEqual(left('labels'));
  expect(await warningsOf({ name: 'demo', labels: { run: '1' }, owner: 'run-1' })).toEqual(usual);
  expect(await warningsOf({ name: 'demo', ttlMs: 60_000, from: 'other' })).toEqual(left('from, ttl'));
  expect(await warningsOf({ name: 'demo', allow: ['b.example'] })).toEqual(left('allow'));
  // Of this call alone.
  expect((await local.engine.info('demo')).warnings ?? []).toEqual(usual);
});

test('start() twice at once makes one sprite', async () => {
  await using local = localEngine();
  const both = await Promise.all([
    local.engine.start({ name: 'demo' }),
    local.engine.start({ name: 'demo' }),
  ]);
  expect(both.map(({ created }) => created).sort()).toEqual([false, true]);
  expect(new Set(both.map(({ sprite }) => sprite.id)).size).toBe(1);
});

test('start() with maxSprites goes no further, also many at once, and fills it', async () => {
  await using local = localEngine();
  const start = (name: string) => local.engine.start({ name, maxSprites: 2 });
  const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map(start));
  const refusals = results.filter((result) => result.status === 'rejected');
  expect(refusals.map(({ reason }) => toWreckitError(reason).details)).toEqual([
    { max_sprites: 2, sprites: 2 },
    { max_sprites: 2, sprites: 2 },
  ]);
  const names = (await local.engine.list()).map(({ name }) => name);
  expect(names).toHaveLength(2);
  expect(readdirSync(join(local.home, 'sprites')).sort()).toEqual(names);
  // One that is there already is no new one.
  expect((await start(names[0] ?? '')).created).toBe(false);
  await local.engine.kill(names[1] ?? '');
  expect((await start('e')).created).toBe(true);
});

test('kill() while the sprite is being started leaves nothing', async () => {
  await using local = localEngine();
  const started = local.engine.start({ name: 'demo' });
  await Bun.sleep(0);
  const killed = codeOf(local.engine.kill('demo'));
  await started;
  if ((await killed) !== 'no error') await local.engine.kill('demo');
  expect(await local.engine.list()).toEqual([]);
  expect(readdirSync(join(local.home, 'sprites'))).toEqual([]);
});

test('stop() ends the processes and keeps the disk; wake() and a command bring it back', async () => {
  await using sprite = await localSprite();
  await sprite.exec('echo kept > note');
  expect((await sprite.engine.stop('demo')).state).toBe('cold');
  expect((await sprite.engine.list())[0]?.state).toBe('cold');
  expect((await sprite.engine.wake('demo')).state).toBe('running');
  await sprite.engine.stop('demo');
  expect((await sprite.exec('cat note')).stdout).toBe('kept\n');
});

test('stop() lets processes clean up', async () => {
  await using sprite = await localSprite();
  const script = 'trap "echo cleaned > note; exit" TERM; echo $$ > ready; while :; do sleep 0.1; done';
  await using _session = await sprite.engine.openSession('demo', { command: ['/bin/sh', '-c', script] });
  while ((await sprite.exec('cat ready')).stdout === '') await Bun.sleep(20);
  await sprite.engine.stop('demo');
  expect((await sprite.exec('cat note')).stdout).toBe('cleaned\n');
});

test('a sprite whose PID 1 was killed is cold, and comes back with its disk', async () => {
  await using sprite = await localSprite();
  await sprite.exec('echo kept > note');
  const { init } = JSON.parse(readFileSync(join(sprite.home, 'sprites/demo/record.json'), 'utf8'));
  process.kill(init.pid, 'SIGKILL');
  while ((await sprite.engine.list())[0]?.state === 'running') await Bun.sleep(10);
  expect((await sprite.engine.list())[0]?.state).toBe('cold');
  expect((await sprite.exec('cat note')).stdout).toBe('kept\n');
});

test('kill() works from every state and of what cannot be read', async () => {
  await using local = localEngine();
  const { engine, home } = local;
  const record = (name: string) => join(home, 'sprites', name, 'record.json');
  const setPhase = (name: string, phase: string) => {
    const value = JSON.parse(readFileSync(record(name), 'utf8'));
    writeFileSync(record(name), JSON.stringify({ ...value, phase }));
  };
  const states: Record<string, (name: string) => unknown> = {
    running: () => undefined,
    cold: (name) => engine.stop(name),
    creating: (name) => setPhase(name, 'creating'),
    booting: (name) => setPhase(name, 'booting'),
    removing: (name) => setPhase(name, 'removing'),
  };
  for (const [state, bring] of Object.entries(states)) {
    await engine.start({ name: state });
    await bring(state);
    await engine.kill(state);
  }
  expect(await engine.list()).toEqual([]);
  expect(await codeOf(engine.kill('running'))).toBe('SPRITE_NOT_FOUND');
  mkdirSync(join(home, 'sprites', 'broken'));
  writeFileSync(record('broken'), '{"half');
  expect((await engine.list()).map(({ name, state }) => ({ name, state }))).toEqual([
    { name: 'broken', state: 'unknown' },
  ]);
  await engine.kill('broken');
  expect(await engine.list()).toEqual([]);
});

test('no mount of a sprite shows on the host, and nothing of a killed one is left', async () => {
  await using local = localEngine();
  await local.engine.start({ name: 'demo' });
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(local.home);
  const { id } = (await local.engine.info('demo')) as Sprite;
  await local.engine.kill('demo');
  for (const dir of ['sprites', 'trash', 'locks', 'run/oci'])
    expect(readdirSync(join(local.home, dir))).toEqual([]);
  const groups = spawnSync('find', ['/sys/fs/cgroup', '-name', `wisp-${id}`], { encoding: 'utf8' });
  expect(groups.stdout).toBe('');
});

test('list() filters by prefix and labels, and tells an interrupted start from a running one', async () => {
  await using local = localEngine();
  const { engine, home } = local;
  await engine.start({ name: 'web-1', labels: { team: 'a', env: 'x' } });
  await engine.start({ name: 'job-1', labels: { team: 'b' } });
  expect((await engine.list({ prefix: 'web' })).map(({ name }) => name)).toEqual(['web-1']);
  expect((await engine.list({ labels: { team: 'b' } })).map(({ name }) => name)).toEqual(['job-1']);
  const path = join(home, 'sprites/web-1/record.json');
  writeFileSync(
    path,
    JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), phase: 'booting', init: null }),
  );
  expect((await engine.list({ prefix: 'web' }))[0]).toMatchObject({
    state: 'error',
    error: expect.stringContaining('interrupted'),
  });
  expect((await engine.start({ name: 'web-1' })).sprite.state).toBe('running');
});

test('gc() removes what is expired, half-made or left over, says why, and touches nothing in a dry run', async () => {
  await using local = localEngine();
  const { engine, home } = local;
  await engine.start({ name: 'fine' });
  await engine.start({ name: 'expired', ttlMs: 1000 });
  await engine.start({ name: 'half' });
  const path = join(home, 'sprites/half/record.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), phase: 'creating' }));
  mkdirSync(join(home, 'trash', 'old', 'disk'), { recursive: true });
  const record = JSON.parse(readFileSync(join(home, 'sprites/expired/record.json'), 'utf8'));
  while (Date.parse(record.expires_at) > Date.now()) await Bun.sleep(20);
  const names = ({ removed }: { removed: readonly { name: string }[] }) =>
    removed.map(({ name }) => name).sort();
  expect(names(await engine.gc({ dryRun: true }))).toEqual(['expired', 'half', 'old']);
  expect((await engine.list()).length).toBe(3);
  expect(names(await engine.gc())).toEqual(['expired', 'half', 'old']);
  expect((await engine.list()).map(({ name }) => name)).toEqual(['fine']);
  expect(await engine.gc()).toEqual({ removed: [], kept: [] });
});

test('gc() ends a container whose sprite is gone', async () => {
  await using local = localEngine();
  const { engine, home } = local;
  const { sprite } = await engine.start({ name: 'demo' });
  spawnSync('mv', [join(home, 'sprites/demo'), join(home, 'trash/demo')]);
  const { removed } = await engine.gc();
  expect(removed.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
    `container wisp-${sprite.id}`,
    'trash demo',
  ]);
  expect(readdirSync(join(home, 'run/oci'))).toEqual([]);
});

test('start() refuses what this engine or machine cannot give, and makes nothing', async () => {
  await using local = localEngine();
  const { engine } = local;
  expect(await codeOf(engine.start({ name: 'demo', minIsolation: 'vm' }))).toBe('ISOLATION_UNAVAILABLE');
  expect(await codeOf(engine.start({ name: 'demo', memoryBytes: 1024 }))).toBe('USAGE');
  expect(await codeOf(engine.start({ name: 'demo', image: '/no/such/image' }))).toBe('SPRITE_START_FAILED');
  expect(await codeOf(engine.start({ name: 'demo', from: 'nobody' }))).toBe('SPRITE_NOT_FOUND');
  expect(await codeOf(engine.start({ name: 'demo', from: '../x' }))).toBe('SPRITE_NAME_INVALID');
  expect(await engine.list()).toEqual([]);
  if (isRoot) return;
  expect(await codeOf(engine.start({ name: 'demo', cpus: 1 }))).toBe('UNSUPPORTED');
  const { sprite } = await engine.start({ name: 'demo', cpus: 1, softLimits: true });
  expect(sprite.resources.cpus).toBeNull();
  expect(sprite.warnings?.join()).toContain('not limited');
});

testAsRoot('info() shows the limits that are enforced and what is used', async () => {
  await using sprite = await localSprite({ memoryBytes: 128 * 1024 ** 2, cpus: 0.5, pids: 50 });
  const { resources, usage } = await sprite.engine.info('demo');
  expect(resources).toEqual({ memory_bytes: 128 * 1024 ** 2, cpus: 0.5, pids: 50 });
  expect(usage?.memory_bytes).toBeGreaterThan(0);
  expect(usage?.pids).toBeGreaterThanOrEqual(2);
  expect(usage?.disk_bytes).toBeGreaterThan(0);
});

test('start() without an OCI runtime says which line installs one', async () => {
  using dir = tempDir();
  const fake = dir.join('runc');
  writeFileSync(fake, '#!/bin/sh\necho broken >&2\nexit 1\n');
  chmodSync(fake, 0o755);
  const { LocalEngine } = await import('../../engine/local/local-engine.ts');
  const engine = new LocalEngine({
    env: { ...process.env, WISP_HOME: dir.join('wisp'), WISP_RUNTIME: fake },
  });
  const error = await engine.start({ name: 'demo' }).then(() => null, toWreckitError);
  expect(error?.code).toBe('RUNTIME_NOT_FOUND');
  expect(error?.message).toContain('broken');
  expect(error?.hint).toContain('apt-get install -y runc');
  expect(await engine.list()).toEqual([]);
});

test('probeRuntimes() trusts a runtime that makes no /dev by itself, as crun', async () => {
  using dir = tempDir();
  const strict = dir.join('strict');
  const runtime = findTool('runc') ?? '';
  writeFileSync(
    strict,
    `#!/bin/sh
prev=
for each; do
  [ "$prev" != --bundle ] || [ -d "$each/rootfs/dev" ] || { echo "open /dev: No such file or directory" >&2; exit 1; }
  prev=$each
done
exec ${runtime} "$@"
`,
  );
  chmodSync(strict, 0o755);
  const { path, rejected } = await probeRuntimes(dir.join('trials'), {
    env: { WISP_RUNTIME: strict },
    rootless: process.getuid?.() !== 0,
  });
  expect([path, rejected]).toEqual([strict, []]);
});
