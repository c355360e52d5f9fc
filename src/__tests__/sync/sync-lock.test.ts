import { describe, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { identify } from '../../process/identity.ts';
import { holdLock } from '../../sync/sync-lock.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const options = { what: 'sprite "demo"', waitMs: 100 };

describe('`holdLock()`', () => {
  test('is held by one, and free when it is disposed', async () => {
    using dir = tempDir();
    const file = dir.join('sub', 'lock');
    {
      using _held = await holdLock(file, options);
      await expect(holdLock(file, options)).rejects.toMatchObject({
        code: 'SPRITE_BUSY',
        details: { pid: process.pid },
      });
    }
    using _again = await holdLock(file, options);
    expect(fs.readdirSync(dir.join('sub'))).toEqual(['lock']);
  });

  test('waits for a holder that lets go', async () => {
    using dir = tempDir();
    const file = dir.join('lock');
    const first = await holdLock(file, options);
    const second = holdLock(file, { ...options, waitMs: 5000 });
    first[Symbol.dispose]();
    using _second = await second;
    expect(fs.existsSync(file)).toBe(true);
  });

  test('of a process that is gone is taken over, and so is one that is damaged', async () => {
    using dir = tempDir();
    const file = dir.join('lock');
    const { pid } = spawnSync('true');
    for (const left of [
      JSON.stringify({ pid, startTime: '1', bootId: 'x' }),
      '',
      '{',
      'null',
      '{"pid":"x"}',
    ]) {
      fs.writeFileSync(file, left);
      using _held = await holdLock(file, options);
      expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    }
  });

  test('of a living process that has the same pid and another start is taken over', async () => {
    using dir = tempDir();
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    try {
      const identity = identify(child.pid ?? 0);
      fs.writeFileSync(dir.join('lock'), JSON.stringify(identity));
      await expect(holdLock(dir.join('lock'), options)).rejects.toMatchObject({ code: 'SPRITE_BUSY' });
      fs.writeFileSync(dir.join('lock'), JSON.stringify({ ...identity, startTime: '1' }));
      using _held = await holdLock(dir.join('lock'), options);
      expect(JSON.parse(fs.readFileSync(dir.join('lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('ends its wait with the signal', async () => {
    using dir = tempDir();
    using _held = await holdLock(dir.join('lock'), options);
    const reason = new Error('enough');
    const waiting = holdLock(dir.join('lock'), {
      ...options,
      waitMs: 60_000,
      signal: AbortSignal.abort(reason),
    });
    await expect(waiting).rejects.toBe(reason);
  });

  test('of many that want it at once, one has it at a time', async () => {
    using dir = tempDir();
    let holders = 0;
    let most = 0;
    const one = async (): Promise<void> => {
      using _held = await holdLock(dir.join('lock'), { ...options, waitMs: 20_000 });
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
    };
    await Promise.all(Array.from({ length: 12 }, one));
    expect(most).toBe(1);
  });
});
