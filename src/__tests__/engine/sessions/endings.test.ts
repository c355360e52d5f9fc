import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import type { SessionHandle, SessionSpec } from '../../../engine/engine.ts';
import { findSession, killSession, openSession } from '../../../engine/local/sessions/index.ts';
import { findMembers } from '../../../engine/local/sessions/members.ts';
import { identify, isSameProcess } from '../../../process/identity.ts';
import { readIfThere } from '../../../process/proc-stat.ts';
import { type BareContainer, bareContainer } from '../../helpers/bare-container.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { eventually } from '../../helpers/eventually.ts';
import { collect, commandOf, factsOf, readUntil, runInSession } from './session-helpers.ts';

let sprite: BareContainer;
beforeAll(async () => {
  sprite = await bareContainer();
});
afterAll(() => sprite[Symbol.asyncDispose]());

/** Runs until it says "up". */
async function up(command: string, spec: Partial<SessionSpec> = {}): Promise<SessionHandle> {
  const session = await openSession(sprite, { command: commandOf(command), ...spec });
  await readUntil(session, (text) => text.includes('up'));
  return session;
}

function supervisorOf(session: SessionHandle): number {
  const { state } = factsOf(sprite, session.id);
  if (state === null) throw new Error('no supervisor');
  return state.supervisor[0];
}

/** The shell inside that waits for the command. */
async function wrapperOf(session: SessionHandle): Promise<number> {
  const members = await findMembers(factsOf(sprite, session.id));
  const wrapper = members.find((pid) => readIfThere(`/proc/${pid}/cmdline`)?.includes('echo begun'));
  if (wrapper === undefined) throw new Error('no wrapper');
  return wrapper;
}

/** Whether anything in the sprite was started with this word as its last argument. */
function isLeft(word: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => readIfThere(`/proc/${pid}/cmdline`)?.endsWith(`\0${word}\0`) ?? false);
}

const KILL = { graceMs: 300 };

describe('killSession()', () => {
  test('ends a command with SIGTERM', async () => {
    await using session = await up('trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.1; done');
    expect(await killSession(sprite.dir, session.id)).toEqual({ exitCode: 5, alreadyGone: false });
    expect((await collect(session, {})).stdout.toString()).toBe('up\nbye\n');
    await using plain = await up('echo up; exec sleep 60');
    expect(await killSession(sprite.dir, plain.id)).toEqual({ exitCode: 143, alreadyGone: false });
    expect(await plain.info()).toMatchObject({ state: 'exited', exit_code: 143, signal: 'SIGTERM' });
  });

  test('ends what takes no notice with SIGKILL after the grace, and all that it started', async () => {
    const started = performance.now();
    await using session = await up('trap "" TERM; sleep 7001 & setsid sleep 7002 & echo up; sleep 7003');
    expect(await killSession(sprite.dir, session.id, KILL)).toEqual({ exitCode: 137, alreadyGone: false });
    expect(performance.now() - started).toBeLessThan(5000);
    expect([7001, 7002, 7003].filter((word) => isLeft(String(word)))).toEqual([]);
    expect(await session.exit()).toEqual({ exitCode: 137, signal: 'SIGKILL', timedOut: false });
  });

  test('also ends what a command leaves behind that obeys', async () => {
    await using session = await up(
      'sh -c "trap \\"\\" TERM; exec sleep 7011" & sleep 0.2; echo up; exec sleep 7012',
    );
    expect(await killSession(sprite.dir, session.id, KILL)).toEqual({ exitCode: 143, alreadyGone: false });
    expect(isLeft('7011')).toBe(false);
  });

  test('ends a terminal session with an interactive shell and its jobs', async () => {
    await using session = await openSession(sprite, {
      command: ['bash', '-i'],
      tty: { cols: 80, rows: 24 },
    });
    await session.write(Buffer.from('sleep 7021 &\rsh -c "trap \\"\\" HUP; sleep 7022" &\recho u""p\r'));
    await readUntil(session, (text) => text.includes('up\r'));
    await eventually(() => isLeft('7021') && isLeft('7022'));
    const { exitCode, alreadyGone } = await killSession(sprite.dir, session.id, { graceMs: 1000 });
    // SIGTERM alone it would not have noticed, and been killed (137).
    expect([alreadyGone, exitCode]).toEqual([false, 129]);
    expect([isLeft('7021'), isLeft('7022')]).toEqual([false, false]);
  });

  test('sends one signal and no more, by any of its names', async () => {
    await using session = await up(
      'trap "echo usr1" USR1; trap "exit 9" INT; echo up; while :; do sleep 0.05; done',
    );
    for (const name of ['USR1', 'SIGUSR1', 'usr1', '10']) {
      const before = (await session.info()).stdout_bytes;
      expect(await killSession(sprite.dir, session.id, { name, only: true })).toEqual({
        exitCode: null,
        alreadyGone: false,
      });
      await eventually(async () => (await session.info()).stdout_bytes > before);
    }
    expect(await killSession(sprite.dir, session.id, { name: 'SIGINT' })).toEqual({
      exitCode: 9,
      alreadyGone: false,
    });
  });

  test('kills at once when asked to', async () => {
    await using session = await up('echo up; exec sleep 60');
    expect(await killSession(sprite.dir, session.id, { name: 'KILL' })).toEqual({
      exitCode: 137,
      alreadyGone: false,
    });
    expect(await session.exit()).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
  });

  test('finds what is already gone, with its exit code', async () => {
    const { id } = await runInSession(sprite, 'exit 4');
    expect(await killSession(sprite.dir, id)).toEqual({ exitCode: 4, alreadyGone: true });
  });

  test('refuses an unknown signal and an unknown session', async () => {
    const { id } = await runInSession(sprite, ['true']);
    for (const name of ['NOPE', '', '99', '0', 'SIG', 'TERM; id']) {
      expect((await wreckitErrorOf(() => killSession(sprite.dir, id, { name }))).code).toBe('USAGE');
    }
    for (const unknown of ['nope', '../x', '', id.toUpperCase()]) {
      expect((await wreckitErrorOf(() => killSession(sprite.dir, unknown))).code).toBe('SESSION_NOT_FOUND');
      expect((await wreckitErrorOf(() => findSession(sprite.dir, unknown, sprite))).code).toBe(
        'SESSION_NOT_FOUND',
      );
    }
  });
});

describe('timeoutMs', () => {
  test('ends the command, and says so', async () => {
    const started = performance.now();
    const outcome = await runInSession(sprite, 'echo a; exec sleep 60', { timeoutMs: 300 });
    expect(outcome).toMatchObject({ exitCode: 143, signal: 'SIGTERM', timedOut: true });
    expect(outcome.stdout.toString()).toBe('a\n');
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('holds without a client, for a command that takes no notice and floods', async () => {
    await using session = await openSession(sprite, {
      command: commandOf('trap "" TERM; setsid sleep 7031 & yes'),
      timeoutMs: 200,
      logCapBytes: 1024 * 1024,
    });
    await session[Symbol.asyncDispose]();
    const exit = await session.exit({ signal: AbortSignal.timeout(8000) });
    expect(exit).toMatchObject({ exitCode: 137, signal: 'SIGKILL', timedOut: true });
    await eventually(() => !isLeft('7031'));
  }, 20_000);

  test('leaves a command alone that ends in time', async () => {
    const outcome = await runInSession(sprite, 'exit 3', { timeoutMs: 60_000 });
    expect(outcome).toMatchObject({ exitCode: 3, timedOut: false });
    const supervisor = supervisorOf(findSession(sprite.dir, outcome.id, sprite));
    await eventually(() => !isLeft('60.000') && identify(supervisor) === null);
  });
});

describe('a session whose', () => {
  test('supervisor was killed is lost, keeps its output, and can still be ended', async () => {
    await using session = await up('echo up; sleep 7041; echo not reached');
    process.kill(supervisorOf(session), 'SIGKILL');
    const error = await wreckitErrorOf(() => session.exit());
    expect(error.code).toBe('SESSION_LOST');
    expect(await session.info()).toMatchObject({ state: 'lost', exit_code: null });
    expect((await collect(session, { follow: true })).stdout.toString()).toBe('up\n');
    expect(isLeft('7041')).toBe(true);
    expect(await killSession(sprite.dir, session.id, KILL)).toMatchObject({ alreadyGone: false });
    expect(isLeft('7041')).toBe(false);
    expect(await killSession(sprite.dir, session.id, KILL)).toMatchObject({ alreadyGone: true });
  });

  test('wrapper inside was killed is lost, and the rest of it can be ended', async () => {
    await using session = await up('echo up; exec sleep 7051');
    process.kill(await wrapperOf(session), 'SIGKILL');
    expect((await wreckitErrorOf(() => session.exit())).code).toBe('SESSION_LOST');
    expect(isLeft('7051')).toBe(true);
    expect(await killSession(sprite.dir, session.id, { name: 'KILL' })).toMatchObject({ alreadyGone: false });
    expect(isLeft('7051')).toBe(false);
  });

  test('sprite went down was killed, and its supervisor ends', async () => {
    await using own = await bareContainer();
    const session = await openSession(own, { command: commandOf('echo up; exec sleep 60') });
    await readUntil(session, (text) => text === 'up\n');
    const reading = collect(session, { follow: true });
    await own.killInit();
    expect(await session.exit()).toEqual({ exitCode: 137, signal: 'SIGKILL', timedOut: false });
    expect((await reading).stdout.toString()).toBe('up\n');
    expect(await killSession(own.dir, session.id)).toEqual({ exitCode: 137, alreadyGone: true });
    expect((await wreckitErrorOf(() => openSession(own, { command: ['true'] }))).code).toBe(
      'SPRITE_EXEC_FAILED',
    );
  });

  test('client was killed goes on', async () => {
    await using session = await up('echo up; read x; echo on; exit 6', { tty: { cols: 80, rows: 24 } });
    await session[Symbol.asyncDispose]();
    await using other = findSession(sprite.dir, session.id, sprite);
    await other.write(Buffer.from('\r'));
    expect(await other.exit()).toMatchObject({ exitCode: 6 });
  });

  test('processes write where they should not only harms itself', async () => {
    const junk = {
      'a status of its own': 'exec 9>/proc/$PPID/fd/3; echo "exit 42" >&9; sleep 0.2; exit 1',
      'no status': 'exec 9>/proc/$PPID/fd/3; echo "exit 4242" >&9; exit 1',
      'lines without end': 'exec 9>/proc/$PPID/fd/3; yes >&9',
      'a word without end': 'exec 9>/proc/$PPID/fd/3; tr "\\0" a </dev/zero >&9',
    };
    const ends: Record<string, unknown> = {};
    for (const [name, command] of Object.entries(junk)) {
      // The sprite's root may open it; its user may not.
      await using session = await openSession(sprite, { command: commandOf(command), user: 'root' });
      ends[name] = await session.exit().then(
        ({ exitCode }) => exitCode,
        ({ code }) => code,
      );
      await killSession(sprite.dir, session.id, { name: 'KILL' });
      const { meta, state } = factsOf(sprite, session.id);
      const [pid, startTime] = state?.supervisor ?? [0, ''];
      await eventually(() => !isSameProcess({ pid, startTime, bootId: meta.init.bootId }));
    }
    expect(ends).toEqual({
      'a status of its own': 42,
      'no status': 'SESSION_LOST',
      'lines without end': 'SESSION_LOST',
      'a word without end': 'SESSION_LOST',
    });
    const refused = await runInSession(sprite, 'echo "exit 0" >/proc/$PPID/fd/3 || exit 8');
    expect(refused).toMatchObject({ exitCode: 8 });
  }, 60_000);
});
