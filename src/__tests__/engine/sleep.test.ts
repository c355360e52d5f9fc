/** Sleep of idle sprites, with the kernel's own word for it. */
import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SleepEvent, SleepSettings, SpriteEngine } from '../../engine/engine.ts';
import { LocalEngine } from '../../engine/local/local-engine.ts';
import { LocalSprites } from '../../engine/local/local-sprites.ts';
import { freezerOf } from '../../engine/local/sleep/freezer.ts';
import { takeHold } from '../../engine/local/sleep/holds.ts';
import { resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { SpriteStore } from '../../engine/local/store.ts';
import { describeAsRoot } from '../helpers/as-root.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { eventually } from '../helpers/eventually.ts';
import { localEngine, localSprite } from '../helpers/local-sprite.ts';

const SOON: SleepSettings = { warmAfterMs: 300, coldAfterMs: null };
const GENEROUS = { timeoutMs: 20_000 };

interface Sleeping extends AsyncDisposable {
  readonly events: SleepEvent[];
}

/** Puts the engine's sprites to sleep until it is disposed of. */
function sleeping(engine: SpriteEngine, settings: SleepSettings = SOON): Sleeping {
  const stop = new AbortController();
  const events: SleepEvent[] = [];
  const running = engine.sleep?.watch(settings, {
    signal: stop.signal,
    onEvent: (event) => events.push(event),
  });
  return {
    events,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function stateOf(engine: SpriteEngine, name = 'demo'): Promise<string | undefined> {
  return (await engine.list()).find((sprite) => sprite.name === name)?.state;
}

const untilState = (engine: SpriteEngine, state: string, name = 'demo') =>
  eventually(async () => (await stateOf(engine, name)) === state, { ...GENEROUS, what: `${name} ${state}` });

/** What the sleeper does in this time it would have done long before. */
const wellAfterMs = (ms: number) => Bun.sleep(ms * 4);

function initOf(home: string, name = 'demo'): { pid: number; group: string; dir: string } {
  const dir = join(home, 'sprites', name);
  const { id, init } = JSON.parse(readFileSync(join(dir, 'record.json'), 'utf8'));
  return { pid: init.pid, group: `wisp-${id}`, dir };
}

function kernelSays(home: string): string {
  const { pid, group } = initOf(home);
  return readFileSync(freezerOf(pid, group)?.state ?? '', 'utf8').trim();
}

/** As a sleeper that was killed at once leaves it. */
function freezeBehindTheBack(home: string): void {
  const { pid, group } = initOf(home);
  const freezer = freezerOf(pid, group);
  if (freezer === null) throw new Error('no freezer');
  writeFileSync(freezer.file, freezer.freeze);
}

describeAsRoot('a sprite in which nothing happens', () => {
  test('is frozen, shown as warm by the kernel and the list, and goes on where it was for a command', async () => {
    await using sprite = await localSprite();
    await using session = await sprite.engine.openSession('demo', {
      command: ['/bin/sh', '-c', 'echo $$; read line; echo "woke $line"'],
      tty: { cols: 80, rows: 24 },
    });
    await session[Symbol.asyncDispose]();
    await using asleep = sleeping(sprite.engine);
    await untilState(sprite.engine, 'warm');
    await eventually(() => asleep.events.length > 0, GENEROUS);
    expect(kernelSays(sprite.home)).toMatch(/FROZEN|frozen 1/);
    expect(asleep.events).toMatchObject([{ event: 'asleep', name: 'demo', state: 'warm' }]);
    expect((await sprite.exec('echo through')).stdout).toBe('through\n');
    const [still] = await sprite.engine.sessions('demo');
    expect(still?.state).toBe('running');
    await untilState(sprite.engine, 'warm');
  });

  test('is not woken by list, info, sessions, logs or a look at its ports', async () => {
    await using sprite = await localSprite();
    await sprite.exec('echo said');
    await using _asleep = sleeping(sprite.engine);
    await untilState(sprite.engine, 'warm');
    expect((await sprite.engine.info('demo')).state).toBe('warm');
    const [said] = await sprite.engine.sessions('demo');
    await using handle = await sprite.engine.session('demo', said?.id ?? '');
    for await (const { bytes } of handle.output()) expect(Buffer.from(bytes).toString()).toBe('said\n');
    expect(await sprite.engine.ports.list('demo')).toEqual([]);
    await wellAfterMs(100);
    expect(await stateOf(sprite.engine)).toBe('warm');
  });

  test('becomes cold later, with its files kept, and wakes with them', async () => {
    await using sprite = await localSprite();
    await sprite.exec('echo kept > note');
    await using asleep = sleeping(sprite.engine, { warmAfterMs: 200, coldAfterMs: 1500 });
    await eventually(() => asleep.events.length === 2, GENEROUS);
    expect(asleep.events.map((event) => 'state' in event && event.state)).toEqual(['warm', 'cold']);
    expect(await stateOf(sprite.engine)).toBe('cold');
    expect((await sprite.exec('cat note')).stdout).toBe('kept\n');
    expect(await stateOf(sprite.engine)).toBe('running');
  });

  test('lets its processes clean up before it becomes cold', async () => {
    await using sprite = await localSprite();
    const script = 'trap "echo cleaned > note; exit 4" TERM; echo > ready; while :; do sleep 60 & wait; done';
    await using session = await sprite.engine.openSession('demo', { command: ['/bin/sh', '-c', script] });
    await session[Symbol.asyncDispose]();
    await eventually(async () => (await sprite.exec('ls ready')).exitCode === 0);
    await using _asleep = sleeping(sprite.engine, { warmAfterMs: 200, coldAfterMs: 1200 });
    await untilState(sprite.engine, 'cold');
    expect((await sprite.engine.sessions('demo'))[0]).toMatchObject({ state: 'exited', exit_code: 4 });
    expect((await sprite.exec('cat note')).stdout).toBe('cleaned\n');
  });

  test('is woken by each kind of file call and by wake(), in the state it was in', async () => {
    await using sprite = await localSprite();
    const { engine } = sprite;
    await sprite.exec('echo one > a');
    await using _asleep = sleeping(engine);
    const calls: Record<string, () => Promise<unknown>> = {
      read: async () => {
        for await (const bytes of engine.files.read('demo', '/home/sprite/a')) expect(bytes.length).toBe(4);
      },
      write: () => engine.files.write('demo', '/home/sprite/b', oneChunk('two')),
      list: () => engine.files.list('demo', '/home/sprite'),
      wake: () => engine.wake('demo'),
    };
    for (const [what, call] of Object.entries(calls)) {
      await untilState(engine, 'warm');
      await call();
      expect({ what, warm: await stateOf(engine) }).toEqual({ what, warm: 'running' });
    }
    expect((await sprite.exec('cat b')).stdout).toBe('two');
  });
});

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

describeAsRoot('activity', () => {
  test('is a detached command that writes; when it only waits the sprite sleeps, and it goes on afterwards', async () => {
    await using sprite = await localSprite();
    // It takes next to no CPU time: that it writes is all there is to see.
    const script = '$| = 1; for (1 .. 12) { print "$_\\n"; select(undef, undef, undef, 0.2) } sleep 60';
    const session = await sprite.engine.openSession('demo', { command: ['perl', '-e', script] });
    await session[Symbol.asyncDispose]();
    await using asleep = sleeping(sprite.engine, { warmAfterMs: 700, coldAfterMs: null });
    await eventually(
      async () => ((await sprite.engine.sessions('demo'))[0]?.stdout_bytes ?? 0) >= 27,
      GENEROUS,
    );
    expect(asleep.events).toEqual([]);
    await untilState(sprite.engine, 'warm');
    expect((await sprite.engine.sessions('demo'))[0]?.state).toBe('running');
  });

  test('is a detached command that computes in silence', async () => {
    await using sprite = await localSprite({ cpus: 0.3 });
    const script = 'i=0; while [ $i -lt 100000000 ]; do i=$((i+1)); done';
    const session = await sprite.engine.openSession('demo', { command: ['/bin/sh', '-c', script] });
    await session[Symbol.asyncDispose]();
    await using asleep = sleeping(sprite.engine);
    await wellAfterMs(300);
    expect(asleep.events).toEqual([]);
    await sprite.engine.killSession('demo', session.id, { name: 'SIGKILL' });
    await untilState(sprite.engine, 'warm');
  });

  test('is a client that follows a silent command, until it leaves', async () => {
    await using sprite = await localSprite();
    await using session = await sprite.engine.openSession('demo', { command: ['sleep', '600'] });
    const leave = new AbortController();
    const following = (async () => {
      for await (const _ of session.output({ follow: true, signal: leave.signal }));
    })().catch(() => 'left');
    await using asleep = sleeping(sprite.engine);
    await wellAfterMs(300);
    expect(asleep.events).toEqual([]);
    leave.abort();
    expect(await following).toBe('left');
    await untilState(sprite.engine, 'warm');
  });

  test('is an open tunnel, also a silent one; a new connection wakes a warm sprite', async () => {
    await using sprite = await localSprite();
    const server = `require('net').createServer((c) => c.pipe(c)).listen(7100, '127.0.0.1')`;
    const session = await sprite.engine.openSession('demo', { command: ['node', '-e', server] });
    await session[Symbol.asyncDispose]();
    await eventually(async () => (await sprite.engine.ports.list('demo')).length === 1, GENEROUS);
    await using asleep = sleeping(sprite.engine);
    await eventually(() => asleep.events.length === 1, GENEROUS);
    const tunnel = await sprite.engine.ports.connect('demo', { host: 'localhost', port: 7100 });
    tunnel.write('through');
    expect(String((await once(tunnel, 'data'))[0])).toBe('through');
    await wellAfterMs(300);
    expect(await stateOf(sprite.engine)).toBe('running');
    tunnel.destroy();
    await eventually(() => asleep.events.length === 2, GENEROUS);
    expect(await stateOf(sprite.engine)).toBe('warm');
  });
});

describeAsRoot('a program that waits for an answer from outside', () => {
  test('keeps its sprite awake until the connection ends', async () => {
    await using sprite = await localSprite({ network: 'filtered' });
    const waiting = `require('net').connect(3128, '127.0.0.1').resume()`;
    const session = await sprite.engine.openSession('demo', { command: ['node', '-e', waiting] });
    await session[Symbol.asyncDispose]();
    const { pid } = initOf(sprite.home);
    const isConnected = () => / 0100007F:0C38 01 /.test(readFileSync(`/proc/${pid}/net/tcp`, 'utf8'));
    await eventually(isConnected, GENEROUS);
    await using asleep = sleeping(sprite.engine);
    await wellAfterMs(400);
    expect({ isConnected: isConnected(), events: asleep.events }).toEqual({ isConnected: true, events: [] });
    await sprite.engine.killSession('demo', session.id, { name: 'SIGKILL' });
    await untilState(sprite.engine, 'warm');
  });
});

describeAsRoot('staying awake', () => {
  test('is what a label says, as long as it is there', async () => {
    await using sprite = await localSprite({ labels: { 'keep-awake': '' } });
    await using asleep = sleeping(sprite.engine);
    await wellAfterMs(300);
    expect(asleep.events).toEqual([]);
    await sprite.engine.update('demo', { labels: { 'keep-awake': 'no' } });
    await untilState(sprite.engine, 'warm');
  });

  test('is what a task says, until it ends', async () => {
    await using sprite = await localSprite();
    const { engine } = sprite;
    const task = await engine.sleep.setTask('demo', 'build', { expiresInMs: 60_000, isNew: true });
    expect(await engine.sleep.tasks('demo')).toEqual([task]);
    await using asleep = sleeping(engine);
    await wellAfterMs(300);
    expect(asleep.events).toEqual([]);
    const again = engine.sleep.setTask('demo', 'build', { expiresInMs: 10, isNew: true });
    expect((await wreckitErrorOf(() => again)).code).toBe('CONFLICT');
    await engine.sleep.setTask('demo', 'build', { expiresInMs: 500 });
    await untilState(engine, 'warm');
    expect(await engine.sleep.tasks('demo')).toEqual([]);
    await engine.sleep.setTask('demo', 'other', { expiresInMs: 60_000 });
    expect(await stateOf(engine)).toBe('warm');
    expect([
      await engine.sleep.removeTask('demo', 'other'),
      await engine.sleep.removeTask('demo', 'other'),
    ]).toEqual([true, false]);
    for (const bad of ['', '../x', 'a b'])
      expect((await wreckitErrorOf(() => engine.sleep.setTask('demo', bad, { expiresInMs: 10 }))).code).toBe(
        'USAGE',
      );
    expect((await wreckitErrorOf(() => engine.sleep.setTask('demo', 'x', { expiresInMs: 0 }))).code).toBe(
      'USAGE',
    );
    expect((await wreckitErrorOf(() => engine.sleep.tasks('nosuch'))).code).toBe('SPRITE_NOT_FOUND');
  });

  test('is each sprite to its own time, which can be changed', async () => {
    await using local = localEngine();
    await local.engine.start({ name: 'never', idleTimeoutMs: 0 });
    await local.engine.start({ name: 'soon', idleTimeoutMs: 1000 });
    await local.engine.start({ name: 'usual' });
    await using _asleep = sleeping(local.engine, { warmAfterMs: 60_000, coldAfterMs: null });
    await untilState(local.engine, 'warm', 'soon');
    expect([await stateOf(local.engine, 'never'), await stateOf(local.engine, 'usual')]).toEqual([
      'running',
      'running',
    ]);
    await local.engine.start({ name: 'never', idleTimeoutMs: 1000 });
    await untilState(local.engine, 'warm', 'never');
  });
});

describeAsRoot('a frozen sprite', () => {
  test('is killed, stopped, collected, forked and saved like any other', async () => {
    await using local = localEngine();
    const { engine, home } = local;
    await engine.start({ name: 'demo' });
    const session = await engine.openSession('demo', { command: ['sh', '-c', 'echo x > f; sleep 600'] });
    await session[Symbol.asyncDispose]();
    await eventually(async () =>
      (await engine.files.list('demo', '/home/sprite')).some(({ name }) => name === 'f'),
    );
    freezeBehindTheBack(home);
    expect(await stateOf(engine)).toBe('warm');
    const saved = await engine.checkpoints.create('demo');
    expect(saved.id).toBe('v1');
    await engine.start({ name: 'copy', from: 'demo' });
    // Neither has woken it.
    expect(await stateOf(engine)).toBe('warm');
    expect((await engine.files.list('copy', '/home/sprite')).map(({ name }) => name)).toContain('f');
    expect((await engine.killSession('demo', session.id)).exitCode).toBe(143);
    freezeBehindTheBack(home);
    expect((await engine.stop('demo')).state).toBe('cold');
    await engine.wake('demo');
    freezeBehindTheBack(home);
    await engine.kill('demo');
    await engine.start({ name: 'demo', ttlMs: 1000 });
    freezeBehindTheBack(home);
    const { pid, group } = initOf(home);
    const file = freezerOf(pid, group)?.file ?? '';
    expect(existsSync(file)).toBe(true);
    await Bun.sleep(1000);
    expect((await engine.gc()).removed.map(({ name }) => name)).toEqual(['demo']);
    expect(existsSync(file)).toBe(false);
    expect((await engine.list()).map(({ name }) => name)).toEqual(['copy']);
  });

  test('goes on when its sleeper was killed: a command wakes it, and the next sleeper who sees it in use', async () => {
    await using sprite = await localSprite();
    freezeBehindTheBack(sprite.home);
    expect((await sprite.exec('echo back')).stdout).toBe('back\n');
    const { dir } = initOf(sprite.home);
    freezeBehindTheBack(sprite.home);
    using _hold = takeHold(dir);
    await using asleep = sleeping(sprite.engine);
    await untilState(sprite.engine, 'running');
    expect(asleep.events).toEqual([{ event: 'woken', name: 'demo' }]);
  });

  test('whose stop was interrupted is cold, mended by gc, and boots', async () => {
    await using sprite = await localSprite();
    await sprite.exec('echo kept > note');
    freezeBehindTheBack(sprite.home);
    const path = join(initOf(sprite.home).dir, 'record.json');
    const interrupt = () =>
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), phase: 'stopping' }));
    interrupt();
    expect(await stateOf(sprite.engine)).toBe('cold');
    expect((await sprite.exec('cat note')).stdout).toBe('kept\n');
    interrupt();
    expect((await sprite.engine.gc()).removed).toMatchObject([{ kind: 'sprite', name: 'demo' }]);
    expect((await sprite.exec('cat note')).stdout).toBe('kept\n');
  });
});

describeAsRoot('commands that come while the sprite is being put to sleep', () => {
  test('all run, whatever the moment', async () => {
    await using sprite = await localSprite();
    // Two sleepers that find everything idle at once, without end.
    const eager: SleepSettings = { warmAfterMs: 1, coldAfterMs: null };
    await using first = sleeping(sprite.engine, eager);
    await using second = sleeping(new LocalEngine({ env: { WISP_HOME: sprite.home } }), eager);
    for (let round = 0; round < 25; round += 1) {
      const [one, two, three] = await Promise.all([
        sprite.exec(`echo ${round}`),
        sprite.exec('cat', { stdin: false }),
        sprite.engine.files.list('demo', '/home/sprite'),
      ]);
      expect([one.stdout, two.exitCode, Array.isArray(three)]).toEqual([`${round}\n`, 0, true]);
      // Another moment of the sleepers' rounds each time.
      await Bun.sleep(round * 3);
    }
    const failed = [...first.events, ...second.events].filter(({ event }) => event === 'failed');
    expect(failed).toEqual([]);
    expect(first.events.length + second.events.length).toBeGreaterThan(0);
  }, 60_000);

  test('all run, also when it is stopped', async () => {
    await using sprite = await localSprite();
    await using asleep = sleeping(sprite.engine, { warmAfterMs: null, coldAfterMs: 1 });
    for (let round = 0; round < 6; round += 1) {
      expect((await sprite.exec(`echo ${round}; sleep 0.05`)).stdout).toBe(`${round}\n`);
      await Bun.sleep(round * 7);
    }
    expect(asleep.events.filter(({ event }) => event === 'failed')).toEqual([]);
    await eventually(() => asleep.events.length > 0, GENEROUS);
  }, 60_000);
});

describeAsRoot('putToSleep()', () => {
  test.each(['warm', 'cold'] as const)(
    'lets it go on when somebody comes at the last moment: %s',
    async (depth) => {
      await using sprite = await localSprite();
      const session = await sprite.engine.openSession('demo', { command: ['sleep', '600'] });
      await session[Symbol.asyncDispose]();
      const env = { ...process.env, WISP_HOME: sprite.home };
      const store = new SpriteStore(resolveStateDirs(env));
      const sprites = new LocalSprites({ store, env, rootless: false });
      let looks = 0;
      const isIdle = (): boolean => {
        looks += 1;
        return looks === 1;
      };
      expect(await sprites.putToSleep('demo', depth, isIdle)).toBe(false);
      expect(looks).toBe(2);
      expect(await stateOf(sprite.engine)).toBe('running');
      expect(kernelSays(sprite.home)).toMatch(/THAWED|frozen 0/);
      expect((await sprite.engine.sessions('demo'))[0]?.state).toBe('running');
    },
  );
});

test('takeHold() ends with its process, and never makes the directory of a sprite that is gone', async () => {
  await using sprite = await localSprite();
  const { dir } = initOf(sprite.home);
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  mkdirSync(join(dir, 'holds'), { recursive: true });
  const { identify } = await import('../../process/identity.ts');
  writeFileSync(join(dir, 'holds', `${child.pid}-x`), JSON.stringify(identify(child.pid ?? 0)));
  const { isHeld } = await import('../../engine/local/sleep/holds.ts');
  expect(isHeld(dir)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isHeld(dir)).toBe(false);
  expect(() => takeHold(join(dir, 'gone'))).toThrow('ENOENT');
});

test('a machine that cannot freeze a sprite stops it at the later time', async () => {
  await using sprite = await localSprite();
  await sprite.exec('echo kept > note');
  const canFreeze = freezerOf(initOf(sprite.home).pid, initOf(sprite.home).group) !== null;
  await using asleep = sleeping(sprite.engine, { warmAfterMs: 200, coldAfterMs: 1000 });
  await eventually(() => asleep.events.length === (canFreeze ? 2 : 1), GENEROUS);
  expect(asleep.events.map((event) => 'state' in event && event.state)).toEqual(
    canFreeze ? ['warm', 'cold'] : ['cold'],
  );
});
