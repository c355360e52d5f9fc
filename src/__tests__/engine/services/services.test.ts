import { expect, test } from 'bun:test';
import { eventually } from '../../helpers/eventually.ts';
import {
  codeOf,
  eventsUntil,
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

test('put() runs the command with its directory, variables and user, and shows it', async () => {
  await using sprite = await serviceSprite({ env: { COLOUR: 'red' } });
  const { services } = sprite.engine;
  const script = `pwd; id -un; echo "$COLOUR $MORE"; echo oops >&2; ${FOREVER}`;
  const spec = shell(script, { dir: '/tmp', env: { MORE: "a 'b' c" }, user: 'root', httpPort: 8000 });
  const put = await services.put('demo', 'web', spec);
  expect(put).toMatchObject({
    name: 'web',
    spec: { dir: '/tmp', user: 'root', httpPort: 8000, needs: [] },
    state: { status: 'running', error: null, restart_count: 0, next_restart_at: null },
    logFiles: { stdout: '/.sprite/logs/services/web/stdout.log' },
  });
  expect(await untilLogged(sprite, 'web', 'red')).toBe("/tmp\nroot\nred a 'b' c\n");
  expect(await logOf(sprite, 'web', 'stderr')).toBe('oops\n');
  // The number is that inside; what runs there can read its log, and not write it.
  const inside = `tr '\\0' ' ' </proc/${put.state.pid}/cmdline; cat ${put.logFiles.stderr}; echo x >${put.logFiles.stderr}`;
  const { stdout, stderr } = await sprite.exec(inside, { user: 'root' });
  expect(stdout).toBe('sleep 100000 oops\n');
  expect(stderr).toMatch(/read-only/i);
  expect(Date.now() - Date.parse(put.state.started_at ?? '')).toBeLessThan(60_000);
  expect((await sprite.engine.info('demo')).services).toMatchObject([
    { name: 'web', status: 'running', env_names: ['MORE'], http_port: 8000 },
  ]);
});

test('put() again leaves what is the same alone, and replaces what is not', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  const first = await services.put('demo', 'web', shell(`echo one; ${FOREVER}`));
  await untilLogged(sprite, 'web', 'one');
  expect((await services.put('demo', 'web', shell(`echo one; ${FOREVER}`))).state.pid).toBe(first.state.pid);
  const second = await services.put('demo', 'web', shell(`echo two; ${FOREVER}`));
  expect(second.state.status).toBe('running');
  expect(second.state.pid).not.toBe(first.state.pid);
  expect(await untilLogged(sprite, 'web', 'two')).toBe('one\ntwo\n');
});

test('what needs another is started after it, whoever is asked for', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'c', shell(`date +%s.%N; ${FOREVER}`));
  await services.put('demo', 'b', shell(`date +%s.%N; ${FOREVER}`, { needs: ['c'] }));
  await services.put('demo', 'a', shell(`date +%s.%N; ${FOREVER}`, { needs: ['b', 'c'] }));
  for (const name of ['a', 'b', 'c']) await services.stop('demo', name);
  expect((await services.list('demo')).map(({ state }) => state.status)).toEqual([
    'stopped',
    'stopped',
    'stopped',
  ]);
  expect((await services.start('demo', 'a')).state.status).toBe('running');
  const startedAt = ['c', 'b', 'a'].map((name) => stateOf(sprite, name).since);
  expect(startedAt).toEqual([...startedAt].sort((x, y) => x - y));
  expect((await services.list('demo')).map(({ state }) => state.status)).toEqual([
    'running',
    'running',
    'running',
  ]);
});

test('a need that has ended with 0 is met; one that crashes is waited for, and named', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'once', shell('echo done'));
  await untilStatus(sprite, 'once', 'stopped');
  expect((await services.put('demo', 'after', shell(FOREVER, { needs: ['once'] }))).state.status).toBe(
    'running',
  );

  await services.put('demo', 'db', shell('[ -e /home/sprite/ready ] || exit 3; exec sleep 100000'));
  await untilStatus(sprite, 'db', 'failed');
  const waiting = await services.put('demo', 'web', shell(FOREVER, { needs: ['db'] }));
  expect(waiting.state).toMatchObject({ status: 'starting', pid: null, error: 'it waits for "db" to run' });
  await sprite.exec('touch /home/sprite/ready');
  await services.restart('demo', 'db');
  expect((await untilStatus(sprite, 'web', 'running')).state.error).toBeNull();
});

test('stop() asks first, then kills all of it; start() runs it again', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put(
    'demo',
    'polite',
    shell('trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done'),
  );
  await services.put(
    'demo',
    'stubborn',
    shell('trap "" TERM; sleep 100001 & echo up; wait; while :; do sleep 1; done'),
  );
  for (const name of ['polite', 'stubborn']) await untilLogged(sprite, name, 'up');
  expect((await services.stop('demo', 'polite')).state).toMatchObject({ status: 'stopped', pid: null });
  expect(await logOf(sprite, 'polite')).toBe('up\nbye\n');
  const startedAt = performance.now();
  expect((await services.stop('demo', 'stubborn', { timeoutMs: 300 })).state.status).toBe('stopped');
  expect(performance.now() - startedAt).toBeGreaterThan(250);
  expect((await sprite.exec('cat /proc/[0-9]*/cmdline | tr "\\0" " "')).stdout).not.toContain('sleep 100001');
  expect(await codeOf(services.stop('demo', 'polite'))).toBe('CONFLICT');
  expect(await codeOf(services.signal('demo', 'polite', 'HUP'))).toBe('CONFLICT');
  expect((await services.start('demo', 'polite')).state.status).toBe('running');
  expect(await untilLogged(sprite, 'polite', 'bye\nup\n')).toBe('up\nbye\nup\n');
});

test('stop() ends one that waits to be started again, and it stays stopped', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'crash', shell('echo once more; exit 5'));
  await untilStatus(sprite, 'crash', 'failed');
  expect((await services.stop('demo', 'crash')).state).toMatchObject({
    status: 'stopped',
    next_restart_at: null,
  });
  const log = await logOf(sprite, 'crash');
  await services.put('demo', 'clock', shell('sleep 1'));
  await untilStatus(sprite, 'clock', 'stopped');
  expect(await logOf(sprite, 'crash')).toBe(log);
});

test('signal() reaches the group of the command, and names that are none are refused', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'web', shell('trap "echo again" HUP; echo up; while :; do sleep 0.05; done'));
  await untilLogged(sprite, 'web', 'up');
  await services.signal('demo', 'web', 'SIGHUP');
  await untilLogged(sprite, 'web', 'again');
  expect(await codeOf(services.signal('demo', 'web', 'NOSUCH'))).toBe('USAGE');
  expect((await service(sprite, 'web')).state.status).toBe('running');
});

test('events() tells of output, ends and starts in order, from the last start where asked', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'web', shell('echo one; echo two >&2; sleep 0.2; exit 7'));
  let starts = 0;
  const isSecondStart = ({ type }: { type: string }): boolean => {
    if (type === 'started') starts += 1;
    return starts === 2;
  };
  const events = await eventsUntil(sprite, 'web', isSecondStart, { sinceStart: true });
  const types = events.map(({ type }) => type);
  expect(types[0]).toBe('started');
  expect(types.slice(1, 3).sort()).toEqual(['stderr', 'stdout']);
  expect(types.slice(3)).toEqual(['exit', 'started']);
  expect(events[3]).toMatchObject({ exitCode: 7 });
  expect(events.find(({ type }) => type === 'stdout')).toMatchObject({ data: 'one\n' });
});

test('output() reads from any offset, by lines, and follows through restarts', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  await services.put('demo', 'web', shell(`echo one; echo two; echo three; ${FOREVER}`));
  await untilLogged(sprite, 'web', 'three');
  const read = async (request: object): Promise<string> => {
    let text = '';
    for await (const { bytes } of services.output('demo', 'web', request))
      text += Buffer.from(bytes).toString();
    return text;
  };
  expect(await read({ stdoutFrom: 4 })).toBe('two\nthree\n');
  expect(await read({ stdoutFrom: -6 })).toBe('three\n');
  expect(await read({ lines: 2 })).toBe('two\nthree\n');
  expect(await read({ lines: 99 })).toBe('one\ntwo\nthree\n');
  let followed = '';
  const following = (async () => {
    const signal = AbortSignal.timeout(WAIT.timeoutMs);
    for await (const { bytes } of services.output('demo', 'web', { lines: 1, follow: true, signal })) {
      followed += Buffer.from(bytes).toString();
    }
  })();
  await eventually(() => followed.includes('three'), WAIT);
  await services.restart('demo', 'web');
  await eventually(() => followed.endsWith('three\none\ntwo\nthree\n'), WAIT);
  await services.remove('demo', 'web');
  await following;
});

test('what cannot be is refused with its code, and changes nothing', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  const put = async (name: string, more = {}) =>
    await codeOf(services.put('demo', name, shell(FOREVER, more)));
  for (const name of ['', '.x', 'a/b', '../x', 'a b', '-o', 'x'.repeat(64), 'signal', 'a\n']) {
    expect(`${name}: ${await put(name)}`).toBe(`${name}: USAGE`);
  }
  for (const httpPort of [0, -1, 65_536, 1.5]) expect(await put('web', { httpPort })).toBe('USAGE');
  expect(await put('web', { needs: ['nosuch'] })).toBe('USAGE');
  expect(await put('web', { needs: ['web'] })).toBe('USAGE');
  expect(await put('web', { dir: 'relative' })).toBe('PATH_INVALID');
  expect(await put('web', { user: 'nobody' })).toBe('USAGE');
  expect(await put('web', { env: { 'A B': '1' } })).toBe('USAGE');
  expect(await codeOf(services.put('demo', 'web', { command: [], needs: [], httpPort: null }))).toBe('USAGE');
  expect(await services.list('demo')).toEqual([]);

  await services.put('demo', 'a', shell(FOREVER, { httpPort: 80 }));
  await services.put('demo', 'b', shell(FOREVER, { needs: ['a'] }));
  await services.put('demo', 'c', shell(FOREVER, { needs: ['b'] }));
  expect(await put('a', { needs: ['c'] })).toBe('USAGE');
  expect(await put('d', { httpPort: 81 })).toBe('CONFLICT');
  expect(await codeOf(services.remove('demo', 'b'))).toBe('CONFLICT');
  for (const call of ['get', 'start', 'stop', 'restart', 'remove'] as const) {
    expect(await codeOf(services[call]('demo', 'nosuch'))).toBe('SERVICE_NOT_FOUND');
    expect(await codeOf(services[call]('nosuch', 'web'))).toBe('SPRITE_NOT_FOUND');
  }
  await services.remove('demo', 'c');
  await services.remove('demo', 'b');
  expect((await services.list('demo')).map(({ name, state }) => [name, state.status])).toEqual([
    ['a', 'running'],
  ]);
});

test('20 added at once are all there, each once, and one HTTP port is had by one', async () => {
  await using sprite = await serviceSprite();
  const { services } = sprite.engine;
  const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
  const spec = shell(`echo up; ${FOREVER}`, { httpPort: 80 });
  const added = await Promise.all(
    names.map(async (name, index) => {
      const own = index < 4 ? spec : { ...spec, httpPort: null };
      return await codeOf(services.put('demo', name, own));
    }),
  );
  expect(added.slice(0, 4).sort()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', null]);
  expect(added.slice(4)).toEqual(Array.from({ length: 16 }, () => null));
  const list = await services.list('demo');
  expect(list.length).toBe(17);
  for (const { name } of list) expect(await untilLogged(sprite, name, 'up')).toBe('up\n');
  // The same one by many: it runs once.
  await Promise.all(names.map(() => services.put('demo', 's9', shell(`echo other; ${FOREVER}`))));
  expect(await untilLogged(sprite, 's9', 'other')).toBe('up\nother\n');
}, 120_000);
