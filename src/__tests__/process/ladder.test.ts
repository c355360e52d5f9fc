import { describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { identify } from '../../process/identity.ts';
import { signalGroup, stopGroup, stopProcess } from '../../process/ladder.ts';
import { eventually } from '../helpers/eventually.ts';
import { fixtureBin } from '../helpers/fixtures.ts';

async function started(
  argv: [string, ...string[]],
  detached = true,
): Promise<ChildProcess & { pid: number }> {
  const child = spawn(argv[0], argv.slice(1), { detached, stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return Object.assign(child, { pid: child.pid ?? 0 });
}

describe('stopGroup()', () => {
  test('ends a polite group by the first signal, before the grace is over', async () => {
    const child = await started(['sh', '-c', 'echo up; exec sleep 600']);
    const before = performance.now();
    expect(await stopGroup(child.pid, { graceMs: 20_000 })).toBe('ended');
    expect(performance.now() - before).toBeLessThan(2000);
  });

  test('sends the signal asked for', async () => {
    const child = await started(['sh', '-c', 'trap "exit 7" INT; echo up; while :; do sleep 0.02; done']);
    const exit = new Promise((resolve) => child.once('exit', resolve));
    expect(await stopGroup(child.pid, { graceMs: 5000, signal: 'SIGINT' })).toBe('ended');
    expect(await exit).toBe(7);
  });

  test('kills after the grace what ignores the signal, and all it started', async () => {
    const child = await started([fixtureBin('child-ignores-term')]);
    expect(await stopGroup(child.pid, { graceMs: 100 })).toBe('killed');
    expect(identify(child.pid)).toBeNull();
  });

  test('stops a group whose leader has gone already', async () => {
    const child = spawn(fixtureBin('child-leaves-background'), [], { detached: true });
    const pid = await new Promise<number>((resolve) =>
      child.stdout.once('data', (line) => resolve(Number(line))),
    );
    await eventually(() => child.exitCode !== null);
    expect(identify(pid)).not.toBeNull();
    expect(await stopGroup(child.pid ?? 0, { graceMs: 2000 })).toBe('ended');
    expect(identify(pid)).toBeNull();
  });

  test('has nothing to do for a group that is gone', async () => {
    const child = await started(['echo', 'up']);
    await eventually(() => child.exitCode !== null);
    expect(await stopGroup(child.pid)).toBe('already_gone');
    expect(signalGroup(child.pid, 'SIGTERM')).toBe(false);
  });

  test.each([0, 1, -5, Number.NaN])(
    'refuses pid %p, which would mean ourselves, init or everybody',
    (pid) => {
      expect(() => stopGroup(pid)).toThrow(RangeError);
      expect(() => signalGroup(pid, 'SIGTERM')).toThrow(RangeError);
    },
  );
});

describe('stopProcess()', () => {
  test('stops one process and not its group', async () => {
    const child = await started(['sh', '-c', 'echo up; exec sleep 600'], false);
    expect(await stopProcess(child.pid, { graceMs: 5000 })).toBe('ended');
  });
});
