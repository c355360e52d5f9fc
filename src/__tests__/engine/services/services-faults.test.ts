import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { logExtent } from '../../../engine/local/sessions/log-files.ts';
import { eventually } from '../../helpers/eventually.ts';
import { execIn, type LocalSprite } from '../../helpers/local-sprite.ts';
import { logBytes } from '../sessions/session-helpers.ts';
import {
  codeOf,
  FOREVER,
  logOf,
  service,
  serviceSprite,
  shell,
  stateOf,
  untilLogged,
  untilStatus,
  WAIT,
} from './service-helpers.ts';

/** Host processes that name the sprite's services in their arguments. */
function servants(sprite: LocalSprite, name = sprite.name): number[] {
  const mark = join(sprite.home, 'sprites', name, 'service');
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => commandLine(pid).includes(mark))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}

test('a crash is followed by a restart, later each time, and in the end by none', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'crash', shell('echo again; exit 7'));
  const failed = await untilStatus(sprite, 'crash', 'failed');
  expect(failed.state.error).toBe('it ended with exit code 7');
  expect(Date.parse(failed.state.next_restart_at ?? '')).toBeGreaterThan(0);
  const given = await eventually(async () => {
    const { state } = await service(sprite, 'crash');
    return state.status === 'failed' && state.next_restart_at === null ? state : null;
  }, WAIT);
  expect(given).toMatchObject({
    error: 'it ended with exit code 7, 4 times: given up',
    restart_count: 3,
    pid: null,
  });
  expect(await logOf(sprite, 'crash')).toBe('again\n'.repeat(4));
  const startTicks = readFileSync(join(sprite.home, 'sprites/demo/services/crash/events'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('started'))
    .map((line) => Number(line.split(' ')[0]));
  const gaps = startTicks.slice(1).map((ticks, index) => ticks - (startTicks[index] ?? 0));
  for (const [index, leastTicks] of [10, 20, 40].entries()) {
    expect(gaps[index]).toBeGreaterThanOrEqual(leastTicks - 1);
  }
  await eventually(() => servants(sprite).length === 0, WAIT);
  expect((await services.start('demo', 'crash')).state.restart_count).toBe(0);
});

test('a killed supervisor gets a successor that goes on with what runs', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  const put = await services.put(
    'demo',
    'web',
    shell(
      'echo up; while :; do read -r word </home/sprite/in; echo "$word"; [ "$word" = die ] && exit 4; done',
    ),
  );
  await untilLogged(sprite, 'web', 'up');
  await sprite.exec('mkfifo /home/sprite/in');
  const before = stateOf(sprite, 'web');
  process.kill(before.pid, 'SIGKILL');
  await eventually(() => commandLine(String(before.pid)) === '', WAIT);
  // Nobody looks: it goes on, and what it prints is kept.
  await sprite.exec('echo unseen >/home/sprite/in');
  await eventually(async () => (await logOf(sprite, 'web')).includes('unseen'), WAIT);
  expect((await service(sprite, 'web')).state).toMatchObject({ status: 'running', pid: put.state.pid });
  const after = stateOf(sprite, 'web');
  expect(after.pid).not.toBe(before.pid);
  expect(after.leader).toBe(before.leader);
  // The successor learns of its end, and starts it again.
  await sprite.exec('echo die >/home/sprite/in');
  await eventually(
    () => stateOf(sprite, 'web').restarts === 1 && stateOf(sprite, 'web').status === 'running',
    WAIT,
  );
  await eventually(async () => (await logOf(sprite, 'web')).endsWith('die\nup\n'), WAIT);
  await services.stop('demo', 'web', { timeoutMs: 200 });
});

test('everything of it on the host killed at once: it is started again by who looks next', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'web', shell('while :; do echo tick || exit 1; sleep 0.05; done'));
  await untilLogged(sprite, 'web', 'tick');
  const { inner } = stateOf(sprite, 'web');
  for (const pid of servants(sprite)) process.kill(pid, 'SIGKILL');
  // A successor that came before the command has noticed would find it running.
  await eventually(async () => (await sprite.exec(`test -e /proc/${inner}`)).exitCode === 1, WAIT);
  const endOfLog = (await logOf(sprite, 'web')).length;
  await services.list('demo');
  await eventually(async () => (await logOf(sprite, 'web')).length > endOfLog, WAIT);
  expect((await untilStatus(sprite, 'web', 'running')).state.restart_count).toBe(1);
});

test('services come back with the sprite: after stop, restore, fork and the death of its first process', async () => {
  await using sprite = await serviceSprite();
  const { engine } = sprite;
  const { services } = engine;
  await services.put('demo', 'db', shell(`echo db up; ${FOREVER}`));
  await services.put('demo', 'web', shell(`echo web up; ${FOREVER}`, { needs: ['db'], httpPort: 8000 }));
  await services.put('demo', 'off', shell(`echo off up; ${FOREVER}`));
  await services.stop('demo', 'off');
  const statuses = async (name = 'demo'): Promise<string> =>
    (await services.list(name)).map(({ name: each, state }) => `${each} ${state.status}`).join(', ');
  const areBack = async (count: number): Promise<void> => {
    await eventually(async () => (await statuses()) === 'db running, off stopped, web running', WAIT);
    await eventually(async () => (await logOf(sprite, 'web')) === 'web up\n'.repeat(count), WAIT);
    expect(await logOf(sprite, 'off')).toBe('off up\n');
    expect(stateOf(sprite, 'web').since).toBeGreaterThanOrEqual(stateOf(sprite, 'db').since);
  };
  await areBack(1);

  await engine.stop('demo');
  expect(await statuses()).toBe('db stopped, off stopped, web stopped');
  await eventually(() => servants(sprite).length === 0, WAIT);
  await engine.wake('demo');
  await areBack(2);

  await engine.checkpoints.create('demo');
  await engine.checkpoints.restore('demo', 'v1');
  await areBack(3);

  const init = Number(readFileSync(join(sprite.home, 'sprites/demo/bundle/init.pid'), 'utf8'));
  process.kill(init, 'SIGKILL');
  await eventually(() => servants(sprite).length === 0, WAIT);
  expect(await statuses()).toBe('db stopped, off stopped, web stopped');
  await sprite.exec('true');
  await areBack(4);

  await engine.start({ name: 'copy', from: 'demo' });
  await eventually(async () => (await statuses('copy')) === 'db running, off stopped, web running', WAIT);
  await services.stop('copy', 'web');
  expect(await statuses()).toBe('db running, off stopped, web running');
  expect((await execIn(engine, 'copy', 'cat /.sprite/logs/services/web/stdout.log')).stdout).toBe('web up\n');
  await engine.kill('copy');
  expect(servants(sprite, 'copy')).toEqual([]);
}, 120_000);

test('a sprite that is taken down is no crash: nothing is started again meanwhile', async () => {
  await using sprite = await serviceSprite();
  const { engine } = sprite;
  await engine.services.put(
    'demo',
    'web',
    shell('trap "exit 3" TERM; echo up; while :; do sleep 0.05; done'),
  );
  await untilLogged(sprite, 'web', 'up');
  // Somebody who does not obey, so that the sprite is still up for a while.
  await using _session = await engine.openSession('demo', {
    command: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.2; done'],
  });
  await engine.stop('demo');
  expect(await logOf(sprite, 'web')).toBe('up\n');
  expect(servants(sprite)).toEqual([]);
}, 60_000);

test('a log is bounded, and says what it lost', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  const script = `i=0; while [ $i -lt 40 ]; do head -c 1000000 /dev/zero | tr '\\0' x; echo; i=$((i+1)); done; echo last; ${FOREVER}`;
  await services.put('demo', 'loud', shell(script));
  const logs = join(sprite.home, 'sprites/demo/service-logs/loud');
  const total = 40 * 1_000_001 + 'last\n'.length;
  await eventually(() => existsSync(logs) && logExtent(logs, 'stdout').end >= total, { timeoutMs: 60_000 });
  expect(logBytes(logs, 'stdout')).toBeLessThanOrEqual(17 * 1024 * 1024);
  let dropped = 0;
  let kept = 0;
  for await (const { bytes, droppedBytes } of services.output('demo', 'loud', { streams: ['stdout'] })) {
    dropped += droppedBytes;
    kept += bytes.length;
  }
  expect(dropped + kept).toBe(total);
  expect(kept).toBeGreaterThanOrEqual(12 * 1024 * 1024);
}, 120_000);

test('a service that talks into its wrapper without end is ended, and costs the host nothing', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  // The wrapper is the parent; it has the pipe to the host as 3.
  const flood =
    'if [ -e been ]; then exec sleep 100000; fi; touch been; exec cat /dev/zero >/proc/$PPID/fd/3';
  await services.put('demo', 'loud', shell(flood, { user: 'root', dir: '/root' }));
  await untilStatus(sprite, 'loud', 'running');
  const restarted = await eventually(
    async () => {
      const { state } = await service(sprite, 'loud');
      return state.restart_count > 0 && state.status === 'running' ? state : null;
    },
    { timeoutMs: 60_000 },
  );
  expect(restarted.restart_count).toBe(1);
}, 90_000);

test('a log in several files goes on where it ended when all that wrote it was killed', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  const logs = join(sprite.home, 'sprites/demo/service-logs/loud');
  const printed = Array.from({ length: 900_000 }, (_, index) => `${index + 1}\n`).join('');
  const untilPrinted = (times: number): Promise<unknown> =>
    eventually(() => existsSync(logs) && logExtent(logs, 'stdout').end >= times * printed.length, WAIT);
  await services.put('demo', 'loud', shell(`seq 1 900000; ${FOREVER}`));
  await untilPrinted(1);
  for (const pid of servants(sprite)) process.kill(pid, 'SIGKILL');
  await sprite.exec(`kill -9 ${stateOf(sprite, 'loud').inner}`);
  await services.list('demo');
  await untilPrinted(2);
  expect((await logOf(sprite, 'loud')) === printed + printed).toBe(true);
  expect(readdirSync(logs).filter((name) => /^stdout\.\d+\.log$/.test(name)).length).toBeGreaterThan(1);
}, 90_000);

test('a declaration whose maker died before it was started is started by who looks next', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'web', shell(FOREVER));
  await services.stop('demo', 'web');
  const dir = join(sprite.home, 'sprites/demo/services/web');
  for (const name of ['down', 'state']) rmSync(join(dir, name), { force: true });
  await services.list('demo');
  expect((await untilStatus(sprite, 'web', 'running')).state.error).toBeNull();
});

test('stopping, removing and killing leave nothing of it on the host', async () => {
  await using sprite = await serviceSprite();
  const { engine } = sprite;
  for (const name of ['a', 'b', 'c']) await engine.services.put('demo', name, shell(`echo up; ${FOREVER}`));
  await engine.services.put('demo', 'crash', shell('exit 1'));
  await untilStatus(sprite, 'crash', 'failed');
  await engine.services.stop('demo', 'a');
  await engine.services.remove('demo', 'b');
  expect(
    readdirSync(join(sprite.home, 'sprites/demo/services'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
  ).toEqual(['a', 'c', 'crash']);
  expect(readdirSync(join(sprite.home, 'sprites/demo/service-logs')).sort()).toEqual(['a', 'c', 'crash']);
  await engine.kill('demo');
  await eventually(() => servants(sprite).length === 0, WAIT);
  expect(await codeOf(engine.services.list('demo'))).toBe('SPRITE_NOT_FOUND');
});
