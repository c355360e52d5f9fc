import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { identify } from '../../process/identity.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { eventually } from '../helpers/eventually.ts';
import { fixtureBin } from '../helpers/fixtures.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const text = (bytes: Uint8Array): string => decodeUtf8(bytes);

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

describe('run()', () => {
  test('keeps the two streams, the exit code and the argv apart', async () => {
    const argv = ['sh', '-c', 'echo out; echo err >&2; exit 3'];
    const { durationMs, stdout, stderr, ...facts } = await run(argv);
    expect(text(stdout)).toBe('out\n');
    expect(text(stderr)).toBe('err\n');
    expect(durationMs).toBeGreaterThan(0);
    expect(facts).toEqual({
      argv,
      failed: true,
      exitCode: 3,
      signal: null,
      timedOut: false,
      aborted: false,
      spawnError: null,
      truncatedBytes: 0,
      stdoutTruncatedBytes: 0,
      stderrTruncatedBytes: 0,
    });
  });

  test('gives the child exactly the environment and directory named', async () => {
    using dir = tempDir();
    const { stdout } = await run(['/usr/bin/env'], { env: { ONLY: 'this' }, cwd: dir.path });
    expect(text(stdout).split('\n').filter(Boolean).sort()).toEqual(['ONLY=this']);
    const pwd = await run(['pwd', '-P'], { cwd: dir.path });
    expect(text(pwd.stdout)).toBe(`${dir.path}\n`);
  });

  test('looks a bare name up on the PATH of the child, not on ours', async () => {
    using dir = tempDir();
    writeFileSync(dir.join('wreckit-only-here'), '#!/bin/sh\necho found\n', { mode: 0o755 });
    const found = await run(['wreckit-only-here'], { env: { PATH: `${dir.path}:/usr/bin:/bin` } });
    expect(text(found.stdout)).toBe('found\n');
    expect((await run(['wreckit-only-here'])).spawnError?.errno).toBe('ENOENT');
  });

  test.each([
    ['a string', 'grüße\n'],
    ['bytes', Buffer.from('grüße\n')],
    ['a text that is a mode', { text: 'grüße\n' }],
    ['an async iterable', chunks('gr', 'ü', 'ße\n')],
    ['a stream', new PassThrough().end('grüße\n')],
  ])('feeds stdin from %s and closes it', async (_name, stdin) => {
    const { stdout, exitCode } = await run(['cat'], { stdin, timeoutMs: 5000 });
    expect({ exitCode, out: text(stdout) }).toEqual({ exitCode: 0, out: 'grüße\n' });
  });

  test('feeds the word "ignore" as text', async () => {
    const { stdout } = await run(['cat'], { stdin: { text: 'ignore' } });
    expect(text(stdout)).toBe('ignore');
  });

  test('feeds stdin from a file, and refuses one that is not there', async () => {
    using dir = tempDir();
    writeFileSync(dir.join('in'), 'from a file');
    const { stdout } = await run(['cat'], { stdin: { file: dir.join('in') } });
    expect(text(stdout)).toBe('from a file');
    const missing = run(['cat'], { stdin: { file: dir.join('missing') } });
    expect(await missing.catch((error) => error)).toMatchObject({
      code: 'USAGE',
      message: `read stdin from a file: "${dir.join('missing')}" cannot be opened (ENOENT)`,
    });
  });

  test('closes stdin by default: a reader ends at once', async () => {
    expect(await run(['cat'], { timeoutMs: 5000 })).toMatchObject({ exitCode: 0, timedOut: false });
  });

  test('lets go of a source that waits when the child has exited', async () => {
    const source = new PassThrough();
    source.write('one line\n');
    const result = await run(['head', '-n1'], { stdin: source, timeoutMs: 5000 });
    expect({ out: text(result.stdout), code: result.exitCode }).toEqual({ out: 'one line\n', code: 0 });
    expect(source.destroyed).toBe(true);
  });

  test('holds a source back while the child does not read', async () => {
    let made = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        made += 65_536;
        yield Buffer.alloc(65_536);
      }
    }
    await run(['sleep', '600'], { stdin: endless(), timeoutMs: 300, graceMs: 500 });
    expect(made).toBeLessThan(2 * 1024 * 1024);
  });

  test('stops the child and rejects when the stdin source fails, rather than ending the input early', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('source broke');
    }
    const sums: string[] = [];
    const running = run(['sh', '-c', 'cat >/dev/null; echo took it all'], {
      stdin: broken(),
      stdout: (chunk) => void sums.push(text(chunk)),
    });
    expect(running).rejects.toThrow('source broke');
    await running.catch(() => undefined);
    expect(sums).toEqual([]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('sink broke');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('sink broke');
      },
    ],
  ])('stops the child and rejects when a sink %s', async (_name, sink) => {
    let pid = 0;
    const running = run(['yes'], {
      stdout: sink,
      onSpawn: (started) => {
        pid = started;
      },
    });
    await expect(running).rejects.toThrow('sink broke');
    expect(identify(pid)).toBeNull();
  });

  test('keeps head and tail of each stream, and says between them what is missing', async () => {
    const script = 'printf "head"; head -c 100000 /dev/zero | tr "\\0" x; printf "tail"; printf err >&2';
    const result = await run(['sh', '-c', script], { maxBytes: 20 });
    expect(text(result.stdout)).toBe('headxxxxxx\n[… 99988 bytes dropped …]\nxxxxxxtail');
    expect(result).toMatchObject({
      truncatedBytes: 99_988,
      stdoutTruncatedBytes: 99_988,
      stderrTruncatedBytes: 0,
    });
    expect(text(result.stderr)).toBe('err');
  });

  test('does not start anything when it was aborted before', async () => {
    using dir = tempDir();
    const result = await run(['touch', dir.join('ran')], { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ aborted: true, failed: true, exitCode: null, spawnError: null });
    expect((await run(['ls', dir.path])).stdout.length).toBe(0);
  });

  test('keeps the first cause: an abort during the stop of a timeout is still a timeout', async () => {
    const abort = new AbortController();
    const result = await run([fixtureBin('child-ignores-term')], {
      timeoutMs: 200,
      graceMs: 400,
      signal: abort.signal,
      stdout: () => void setTimeout(() => abort.abort(), 300),
    });
    expect(result).toMatchObject({ timedOut: true, aborted: false, signal: 'SIGKILL' });
  });

  test('keeps the first cause: a deadline that passes after the exit is no timeout', async () => {
    const sink = () => new Promise<void>((resolve) => setTimeout(resolve, 600));
    const result = await run(['echo', 'done'], { timeoutMs: 300, stdout: sink });
    expect(result).toMatchObject({ exitCode: 0, timedOut: false, failed: false });
  });

  test('reports a child that ends well after SIGTERM as timed out', async () => {
    const script = 'trap "exit 0" TERM; while :; do sleep 0.05; done';
    const result = await run(['sh', '-c', script], { timeoutMs: 300, graceMs: 3000 });
    expect(result).toMatchObject({ exitCode: 0, timedOut: true, failed: true });
    expect(result.durationMs).toBeLessThan(2000);
  });

  test('skips the grace when forced', async () => {
    const abort = new AbortController();
    const force = new AbortController();
    const result = await run([fixtureBin('child-ignores-term')], {
      graceMs: 30_000,
      signal: abort.signal,
      force: force.signal,
      stdout: () => {
        abort.abort();
        force.abort();
      },
    });
    expect(result).toMatchObject({ aborted: true, signal: 'SIGKILL' });
    expect(result.durationMs).toBeLessThan(3000);
  });

  test('takes a deadline longer than a timer can hold', async () => {
    expect(await run(['true'], { timeoutMs: 2 ** 40 })).toMatchObject({ timedOut: false, exitCode: 0 });
  });

  test('inherits each of the three streams', async () => {
    const file = fileURLToPath(new URL('./inherit.ts', import.meta.url));
    const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'pipe'] });
    const seen = { out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      seen.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      seen.err += chunk;
    });
    child.stdin.end('through');
    await eventually(() => child.exitCode !== null && seen.err !== '', { what: 'the child to exit' });
    expect(seen).toEqual({ out: 'through', err: 'and this' });
  });
});
