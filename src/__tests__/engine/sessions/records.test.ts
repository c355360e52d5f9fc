import { describe, expect, test } from 'bun:test';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { countRunningSessions, listSessions, openSession } from '../../../engine/local/sessions/index.ts';
import { newSessionId, sessionsDir } from '../../../engine/local/sessions/session-dir.ts';
import { bareContainer } from '../../helpers/bare-container.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { collect, commandOf, pathOf, runInSession } from './session-helpers.ts';

describe('listSessions()', () => {
  test('tells all of them, oldest first, as the contract has it', async () => {
    await using sprite = await bareContainer();
    expect(listSessions(sprite.dir)).toEqual([]);
    await runInSession(sprite, 'printf out; printf error >&2; exit 3');
    await using running = await openSession(sprite, {
      command: ['sleep', '60'],
      tty: { cols: 90, rows: 20 },
      dir: '/tmp',
      user: 'root',
      annotations: { note: 'mine' },
    });
    const [exited, other] = listSessions(sprite.dir);
    expect(exited).toMatchObject({
      command: ['/bin/sh', '-c', 'printf out; printf error >&2; exit 3'],
      dir: '/home/sprite',
      user: 'sprite',
      tty: false,
      state: 'exited',
      exit_code: 3,
      signal: null,
      stdout_bytes: 3,
      stderr_bytes: 5,
      stdout_start: 0,
      stderr_start: 0,
      cols: null,
      rows: null,
    });
    expect(Date.parse(exited?.exited_at ?? '')).toBeGreaterThanOrEqual(Date.parse(exited?.created_at ?? ''));
    expect(other).toEqual(await running.info());
    expect(other).toMatchObject({
      id: running.id,
      dir: '/tmp',
      user: 'root',
      tty: true,
      state: 'running',
      exit_code: null,
      exited_at: null,
      cols: 90,
      rows: 20,
      annotations: { note: 'mine' },
    });
    expect(countRunningSessions(sprite.dir)).toBe(1);
  });

  test('shows a broken one as lost, and is never stopped by it', () => {
    using dir = tempDir();
    const sessions = sessionsDir(dir.path);
    for (const [id, meta] of Object.entries({
      a1: '',
      b2: '{"version":1,',
      c3: '[]',
      d4: 'null',
      e5: '{}',
    })) {
      mkdirSync(join(sessions, id), { recursive: true });
      writeFileSync(join(sessions, id, 'meta.json'), meta);
    }
    mkdirSync(join(sessions, 'f6'));
    mkdirSync(join(sessions, 'Not A Session'));
    writeFileSync(join(sessions, 'g7'), 'a file');
    const states = listSessions(dir.path).map(({ id, state }) => `${id} ${state}`);
    expect(states).toEqual(['a1', 'b2', 'c3', 'd4', 'e5', 'f6'].map((id) => `${id} lost`));
    expect(countRunningSessions(dir.path)).toBe(0);
  });
});

describe('the record of a session', () => {
  test("is nobody else's to read", async () => {
    await using sprite = await bareContainer();
    const { id } = await runInSession(sprite, ['true'], { stdin: true });
    const path = pathOf(sprite, id);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, 'meta.json')).mode & 0o777).toBe(0o600);
  });

  test('has an id that sorts by time and is never used again', () => {
    const ids = Array.from({ length: 2000 }, newSessionId);
    expect(new Set(ids).size).toBe(2000);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
    const prefixes = ids.map((id) => id.slice(0, id.indexOf('-')));
    expect(prefixes).toEqual([...prefixes].sort());
  });

  test('goes when fifty newer ones have ended; a running one stays', async () => {
    await using sprite = await bareContainer();
    await using running = await openSession(sprite, { command: ['sleep', '60'] });
    const ids: string[] = [];
    for (let count = 0; count < 68; count += 1) ids.push((await runInSession(sprite, ['true'])).id);
    const listed = () => listSessions(sprite.dir).map(({ id }) => id);
    // The last ones may have come after it was done.
    await eventually(() => listed().length < ids.length - 10);
    const kept = await eventually(() => (listed().length > 60 ? undefined : listed()));
    expect(kept[0]).toBe(running.id);
    expect(kept.length - 1).toBeGreaterThanOrEqual(50);
    expect(kept.slice(1)).toEqual(ids.slice(1 - kept.length));
  }, 120_000);
});

describe('many sessions', () => {
  test('run at once, each with its own output and end', async () => {
    await using sprite = await bareContainer();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const command = `head -c 300000 /dev/zero | tr "\\0" ${String.fromCharCode(97 + index)}; exit ${index}`;
        await using session = await openSession(sprite, {
          command: commandOf(command),
          tty: index % 4 === 0 ? { cols: 80, rows: 24 } : undefined,
        });
        const { stdout } = await collect(session, { follow: true });
        const { exitCode } = await session.exit();
        return [exitCode, stdout.length, new Set(stdout).size];
      }),
    );
    expect(outcomes).toEqual(Array.from({ length: 20 }, (_, index) => [index, 300_000, 1]));
  }, 60_000);
});
