import { beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from '../../process/identity.ts';
import { eventually } from '../helpers/eventually.ts';
import { fixtureBin } from '../helpers/fixtures.ts';
import type { DriverCase, DriverResult } from './driver.ts';
import { drive, RUNTIMES, type RuntimeName } from './runtimes.ts';

const TIMEOUT_MS = 400;
const GRACE_MS = 600;
const LIMITS = { timeoutMs: TIMEOUT_MS, graceMs: GRACE_MS, maxBytes: 65_536 };

const MEBIBYTE = 1024 * 1024;

function casesIn(dir: string): DriverCase[] {
  return [
    { name: 'ignores term', argv: [fixtureBin('child-ignores-term')], options: LIMITS },
    { name: 'keeps pipe', argv: [fixtureBin('child-keeps-pipe')], options: LIMITS },
    { name: 'floods', argv: [fixtureBin('child-floods')], options: LIMITS, alone: true },
    { name: 'aborted', argv: ['sleep', '600'], options: { graceMs: GRACE_MS }, abortAfterMs: 200 },
    { name: 'background', argv: [fixtureBin('child-leaves-background'), '0'], options: { timeoutMs: 5000 } },
    { name: 'noisy', argv: [fixtureBin('child-noisy-background')], options: { timeoutMs: 8000 } },
    { name: 'missing name', argv: ['no-such-program-of-wreckit'] },
    { name: 'missing path', argv: ['/no/such/program'] },
    { name: 'directory', argv: [dir] },
    { name: 'not executable', argv: [join(dir, 'plain')] },
    { name: 'not executable name', argv: ['plain'], options: { env: { PATH: dir } } },
    { name: 'no directory', argv: ['true'], options: { cwd: join(dir, 'missing') } },
    { name: 'too long', argv: ['true', 'x'.repeat(100), ...new Array<string>(300).fill('y'.repeat(20_000))] },
    { name: 'empty argv', argv: [] },
    { name: 'unread stdin', argv: ['true'], options: { stdin: 'x'.repeat(4 * MEBIBYTE) } },
    { name: 'slow sink', argv: [fixtureBin('child-bytes'), String(2 * MEBIBYTE)], slowSinkMs: 5 },
    { name: 'slow sink at exit', argv: [fixtureBin('child-bytes'), '60000'], slowSinkMs: 400 },
    {
      name: 'slow sink on a flood',
      argv: [fixtureBin('child-counts-output')],
      options: LIMITS,
      slowSinkMs: 50,
    },
    { name: 'slow sink for ever', argv: ['yes'], options: LIMITS, slowSinkMs: 20_000 },
    { name: 'counted stdin', argv: ['wc', '-c'], options: { stdin: 'x'.repeat(4 * MEBIBYTE) } },
  ];
}

/** Without the time in which a busy machine gave the driver no turn. */
function ownMs({ durationMs, starvedMs }: DriverResult): number {
  return durationMs - starvedMs;
}

describe.each(Object.keys(RUNTIMES) as RuntimeName[])('run() on %s', (runtime) => {
  let results: Map<string, DriverResult>;
  const result = (name: string): DriverResult => {
    const found = results.get(name);
    if (found === undefined) throw new Error(`no result of ${name}`);
    return found;
  };

  beforeAll(() => {
    const dir = mkdtempSync(join(tmpdir(), 'wreckit-run-'));
    writeFileSync(join(dir, 'plain'), 'not a program\n', { mode: 0o644 });
    results = drive(runtime, casesIn(dir));
    rmSync(dir, { recursive: true });
  }, 60_000);

  test.each(['ignores term', 'keeps pipe', 'floods'])('returns within timeout + grace + 1 s: %s', (name) => {
    const { timedOut, aborted, failed, durationMs } = result(name);
    expect({ timedOut, aborted, failed }).toEqual({ timedOut: true, aborted: false, failed: true });
    expect(durationMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 1);
    expect(ownMs(result(name))).toBeLessThan(TIMEOUT_MS + GRACE_MS + 1000);
  });

  test('kills with SIGKILL what ignores SIGTERM, after the grace', () => {
    expect(result('ignores term')).toMatchObject({
      signal: 'SIGKILL',
      exitCode: null,
      stdoutHead: 'ready\n',
    });
    expect(result('ignores term').durationMs).toBeGreaterThanOrEqual(TIMEOUT_MS + GRACE_MS - 1);
  });

  test('leaves no grandchild of a timed out child', async () => {
    const grandchild = Number(result('keeps pipe').stdoutHead);
    expect(grandchild).toBeGreaterThan(1);
    await eventually(() => identify(grandchild) === null, { what: 'the grandchild to be gone' });
  });

  test('counts the bytes of a flood that it drops', () => {
    const { stdoutBytes, truncatedBytes, signal } = result('floods');
    expect(signal).toBe('SIGTERM');
    expect(truncatedBytes).toBeGreaterThan(0);
    expect(stdoutBytes).toBeLessThan(LIMITS.maxBytes + 100);
  });

  test('reports an abort as aborted, not as timed out', () => {
    expect(result('aborted')).toMatchObject({
      aborted: true,
      timedOut: false,
      signal: 'SIGTERM',
      failed: true,
    });
    expect(ownMs(result('aborted'))).toBeLessThan(200 + GRACE_MS + 1000);
  });

  test('does not wait for a background job, nor calls it a timeout', () => {
    const background = result('background');
    // An undisturbed child's background job is left alone: ours to end here.
    process.kill(Number(background.stdoutHead), 'SIGKILL');
    expect(background).toMatchObject({ exitCode: 0, timedOut: false, failed: false });
    expect(ownMs(background)).toBeLessThan(2000);
  });

  test('stops reading a background job that goes on writing', () => {
    const noisy = result('noisy');
    process.kill(Number(noisy.stdoutHead.split('\n')[0]), 'SIGKILL');
    expect(noisy).toMatchObject({ exitCode: 0, timedOut: false, failed: false });
    expect(ownMs(noisy)).toBeLessThan(3000);
  });

  test.each([
    ['missing name', 'ENOENT', 'it is not on PATH'],
    ['missing path', 'ENOENT', 'there is no such file'],
    ['directory', 'EACCES', 'it is not an executable file'],
    ['not executable', 'EACCES', 'it is not an executable file'],
    ['no directory', 'ENOENT', 'is not a directory'],
    ['too long', 'E2BIG', 'longer than the system takes'],
  ])('tells why it could not start: %s', (name, errno, message) => {
    const { spawnError, exitCode, failed } = result(name);
    expect({ exitCode, failed, errno: spawnError?.errno }).toEqual({ exitCode: null, failed: true, errno });
    expect(spawnError?.message).toContain(message);
  });

  test.each(['empty argv', 'not executable name'])(
    'never throws for a program it cannot start: %s',
    (name) => {
      expect(result(name)).toMatchObject({
        failed: true,
        exitCode: null,
        spawnError: { errno: expect.any(String) },
      });
    },
  );

  test('survives a child that exits without reading its stdin', () => {
    expect(result('unread stdin')).toMatchObject({ exitCode: 0, failed: false });
  });

  test('sends the whole of a large stdin', () => {
    expect(result('counted stdin').stdoutHead.trim()).toBe(String(4 * MEBIBYTE));
  });

  test('gives a slow sink every byte, one chunk at a time', () => {
    expect(result('slow sink')).toMatchObject({ sinkBytes: 2 * MEBIBYTE, sinkCallsAtOnce: 1, exitCode: 0 });
    expect(result('slow sink at exit')).toMatchObject({ sinkBytes: 60_000, sinkCallsAtOnce: 1, exitCode: 0 });
  });

  test('holds the child back while the sink is slow', () => {
    // 400 ms of 50 ms for at most 64 KiB each, and what the pipe and the drain hold.
    const sent = Number(result('slow sink on a flood').stderrTail.trim());
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(40);
  });

  test('a sink that never settles does not outlast the timeout', () => {
    expect(result('slow sink for ever').timedOut).toBe(true);
    expect(ownMs(result('slow sink for ever'))).toBeLessThan(TIMEOUT_MS + GRACE_MS + 1000);
  });

  test('has all that a child printed before its exit, 200 times', () => {
    const argv = [fixtureBin('child-bytes'), String(MEBIBYTE)];
    const once = drive(runtime, [{ name: 'bytes', argv, times: 200, expectBytes: MEBIBYTE }]).get('bytes');
    expect(once).toMatchObject({ shortRuns: 0, stdoutBytes: MEBIBYTE, truncatedBytes: 0, exitCode: 0 });
  }, 60_000);
});
