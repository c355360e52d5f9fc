import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { identify, isSameProcess } from '../../process/identity.ts';
import { parseProcStat } from '../../process/proc-stat.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';

describe('identify()', () => {
  test('is the same for the same process, and gone when it has ended', async () => {
    const child = spawn('sleep', ['600']);
    const pid = child.pid ?? 0;
    const identity = identify(pid);
    expect({ ...identity }).toMatchObject({
      pid,
      startTime: expect.stringMatching(/^\d+$/),
      bootId: expect.any(String),
    });
    if (identity === null) throw new Error('unreachable');
    expect(isSameProcess(identity)).toBe(true);
    expect(isSameProcess({ ...identity, startTime: '1' })).toBe(false);
    expect(isSameProcess({ ...identity, bootId: 'another' })).toBe(false);
    child.kill('SIGKILL');
    await eventually(() => !isSameProcess(identity), { what: 'the process to be gone' });
  });

  test('reads a process whose name holds spaces and parentheses', async () => {
    using dir = tempDir();
    const program = dir.join('a) 1 (b');
    copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['600']);
    expect(identify(child.pid ?? 0)?.startTime).toMatch(/^\d{2,}$/);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 22 + 1])('has none for %p', (pid) => {
    expect(identify(pid)).toBeNull();
  });
});

describe('parseProcStat()', () => {
  test('counts fields after the last parenthesis and knows zombies', () => {
    const rest = Array.from({ length: 40 }, (_, index) => String(index + 4));
    expect(parseProcStat(`7 (x) Z ) S ${rest.join(' ')}\n`)).toEqual({
      isZombie: false,
      groupId: 5,
      startTime: '22',
    });
    expect(parseProcStat(`7 (x) Z ${rest.join(' ')}\n`)?.isZombie).toBe(true);
    expect(parseProcStat('7 (x) S 1 2')).toBeNull();
  });
});
