import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { SessionHandle } from '../../../engine/engine.ts';
import { findSession, openSession } from '../../../engine/local/sessions/index.ts';
import { type BareContainer, bareContainer } from '../../helpers/bare-container.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { eventually } from '../../helpers/eventually.ts';
import { collect, commandOf, readUntil, runInSession } from './session-helpers.ts';

const SIZE = { cols: 100, rows: 30 };

let sprite: BareContainer;
beforeAll(async () => {
  sprite = await bareContainer();
});
afterAll(() => sprite[Symbol.asyncDispose]());

function onTerminal(command: string | readonly string[], spec = {}): Promise<SessionHandle> {
  return openSession(sprite, { command: commandOf(command), tty: SIZE, ...spec });
}

async function shown(session: SessionHandle): Promise<string> {
  return (await collect(session, { follow: true })).stdout.toString();
}

describe('a terminal session', () => {
  test('has a terminal of its size on all three descriptors, and TERM', async () => {
    await using session = await onTerminal(
      'test -t 0 && test -t 1 && test -t 2 && stty size && echo $TERM; tty',
    );
    expect(await shown(session)).toMatch(/^30 100\r\nxterm-256color\r\n\/dev\/pts\/\d+\r\n$/);
    expect((await session.exit()).exitCode).toBe(0);
    expect(await session.info()).toMatchObject({ tty: true, ...SIZE, stderr_bytes: 0 });
  });

  test('keeps TERM and SHELL that were asked for', async () => {
    await using session = await onTerminal('echo $TERM $SHELL', {
      env: { TERM: 'vt100', SHELL: '/bin/bash' },
    });
    expect(await shown(session)).toBe('vt100 /bin/bash\r\n');
    await using other = await onTerminal('echo "$SHELL|"');
    expect(await shown(other)).toBe('|\r\n');
  });

  test('hands over arguments as they are', async () => {
    const odd = ['a b', '', "it's ''", '"', '$(id)', '\\', '*', 'é✓', '-n', '!'];
    await using session = await onTerminal(['printf', '[%s]', ...odd]);
    expect(await shown(session)).toBe(odd.map((each) => `[${each}]`).join(''));
  });

  test('tells the exit code, also of a missing program', async () => {
    expect((await runInSession(sprite, 'exit 7', { tty: SIZE })).exitCode).toBe(7);
    expect((await runInSession(sprite, 'kill -9 $$', { tty: SIZE })).exitCode).toBe(137);
    for (const name of ['no-such', '-la']) {
      const outcome = await runInSession(sprite, [name], { tty: SIZE });
      expect(outcome.exitCode).toBe(127);
      expect(outcome.stdout.toString()).toContain(`${name}: not found`);
    }
  });

  test('echoes what is typed, edits lines in UTF-8, passes signals and the end of input', async () => {
    await using session = await onTerminal(
      'read line; echo "got [$line]"; trap "echo int" INT; read line; cat',
    );
    await session.write(Buffer.from('aé\x7f✓b\r'));
    await readUntil(session, (text) => text.includes('got ['));
    await session.write(Buffer.from('\x03'));
    await readUntil(session, (text) => text.includes('int'));
    await session.write(Buffer.from('\r'));
    await session.write(Buffer.from('last\r'));
    await readUntil(session, (text) => /last[\s\S]*last/.test(text));
    await session.closeStdin();
    expect(await shown(session)).toContain('got [a✓b]\r\n');
    expect((await session.exit()).exitCode).toBe(0);
  });

  test('is resized, and its programs hear of it', async () => {
    await using session = await onTerminal('trap "stty size" WINCH; echo up; while :; do sleep 0.05; done');
    await readUntil(session, (text) => text.includes('up'));
    await session.resize({ cols: 61, rows: 17 });
    await readUntil(session, (text) => text.includes('17 61'));
    await Promise.all([70, 71, 72, 73].map((cols) => session.resize({ cols, rows: 20 })));
    await readUntil(session, (text) => text.includes('20 73'));
    expect(await session.info()).toMatchObject({ cols: 73, rows: 20 });
    expect((await wreckitErrorOf(() => session.resize({ cols: 0, rows: 0 }))).code).toBe('USAGE');
  });

  test('can be resized at once', async () => {
    await using session = await onTerminal('read line; stty size');
    await session.resize({ cols: 61, rows: 17 });
    await session.write(Buffer.from('\r'));
    expect(await shown(session)).toContain('17 61');
  });

  test('is refused where the sprite has no program that holds a terminal', async () => {
    const error = await wreckitErrorOf(() => onTerminal(['true'], { env: { PATH: '/nowhere' } }));
    expect([error.code, error.message]).toEqual([
      'SPRITE_EXEC_FAILED',
      'exec: a terminal takes the program "script" (util-linux), which this sprite lacks',
    ]);
  });

  test('can be resized after its end, which changes nothing', async () => {
    const { id } = await runInSession(sprite, ['true'], { tty: SIZE });
    await findSession(sprite.dir, id, sprite).resize({ cols: 10, rows: 10 });
    expect(await findSession(sprite.dir, id, sprite).info()).toMatchObject(SIZE);
    const { id: plain } = await runInSession(sprite, ['true']);
    const error = await wreckitErrorOf(() => findSession(sprite.dir, plain, sprite).resize(SIZE));
    expect(error.code).toBe('NOT_A_TTY');
  });

  test('outlives its client; coming back shows the screen and goes on without a lost or doubled byte', async () => {
    const first = await onTerminal(
      'printf "\\033[?2004hone\\r\\n"; read line; echo two; read line; echo three',
    );
    await readUntil(first, (text) => text.includes('one'));
    await first[Symbol.asyncDispose]();
    await using again = findSession(sprite.dir, first.id, sprite);
    if (again.screen === undefined) throw new Error('no screen');
    const { bytes, nextOffset } = await again.screen();
    expect(Buffer.from(bytes).toString()).toMatch(/one[\s\S]*\?2004h/);
    await again.write(Buffer.from('x\r'));
    await readUntil(again, (text) => text.startsWith('x\r\ntwo\r\n'), { stdoutFrom: nextOffset });
    await using third = findSession(sprite.dir, first.id, sprite);
    await third.write(Buffer.from('y\r'));
    const [rest, all] = await Promise.all([
      collect(again, { follow: true, stdoutFrom: nextOffset }),
      collect(third, { follow: true }),
    ]);
    expect(rest.stdout.toString()).toBe('x\r\ntwo\r\ny\r\nthree\r\n');
    expect(all.stdout.subarray(nextOffset)).toEqual(rest.stdout);
  });

  test('goes on when its client has gone, and does not see the end of its input', async () => {
    const session = await onTerminal('read line; echo "late $line"');
    await session[Symbol.asyncDispose]();
    await using again = findSession(sprite.dir, session.id, sprite);
    await eventually(() => again.write(Buffer.from('word\r')));
    expect(await shown(again)).toContain('late word');
  });
});
