import { describe, expect, test } from 'bun:test';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const program = join(import.meta.dir, 'sample-program.ts');
const runtimes: [name: string, argv: string[]][] = [
  ['Bun', [process.execPath]],
  ['Node', ['node', '--import', 'tsx']],
];

function start(runtime: string[], args: string[], stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const [file = '', ...before] = runtime;
  return spawn(file, [...before, program, ...args], { stdio: ['ignore', stdout, 'pipe'] });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  if (stream !== null) for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads a descriptor that does not block until `ended` and empty, leaving the writer to wait in between. */
async function readSlowly(fd: number, ended: Promise<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  let isEnded = false;
  void ended.then(() => {
    isEnded = true;
  });
  for (;;) {
    const wasEnded = isEnded;
    const chunk = Buffer.alloc(65_536);
    let count = 0;
    try {
      count = readSync(fd, chunk);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
    }
    if (count > 0) chunks.push(chunk.subarray(0, count));
    else if (wasEnded) return Buffer.concat(chunks).toString('utf8');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const [name, runtime] of runtimes) {
  describe(`main() on ${name}`, () => {
    test('cuts nothing of a large document when the reader is slow', async () => {
      const child = start(runtime, ['big', '--json']);
      const exited = exitOf(child);
      child.stdout?.pause();
      await once(child.stdout ?? child, 'readable'); // the pipe is full now, the program waits
      const text = await textOf(child.stdout);
      expect(JSON.parse(text).data).toHaveLength(8_000_000);
      expect(await exited).toBe(0);
    }, 20_000);

    test('cuts nothing when stdout is a pipe that does not block', async () => {
      using dir = tempDir();
      const fifo = dir.join('fifo');
      execFileSync('mkfifo', [fifo]);
      const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
      // The child's stdout shares this open file, and with it O_NONBLOCK.
      const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
      const child = start(runtime, ['big', '--json'], writer);
      const exited = exitOf(child);
      closeSync(writer);
      const text = await readSlowly(reader, exited);
      closeSync(reader);
      expect(JSON.parse(text).data).toHaveLength(8_000_000);
      expect(await exited).toBe(0);
    }, 40_000);

    test('ends quietly with 141 when the reader leaves', async () => {
      for (const args of [['flood'], ['big']]) {
        const child = start(runtime, args);
        const exited = exitOf(child);
        const stderr = textOf(child.stderr);
        await once(child.stdout ?? child, 'readable');
        child.stdout?.destroy();
        expect(await exited).toBe(141);
        expect(await stderr).toBe('');
      }
    }, 20_000);

    test('reports a full disk behind stdout', async () => {
      const full = openSync('/dev/full', 'w');
      try {
        const child = start(runtime, ['big', '--json'], full);
        expect(await textOf(child.stderr)).toContain('error: output: it cannot be written: ENOSPC');
        expect(await exitOf(child)).toBe(1);
      } finally {
        closeSync(full);
      }
    }, 20_000);

    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      test(`lets the verb clean up after ${signal}, then exits ${code}`, async () => {
        const child = start(runtime, ['wait', '--json']);
        const exited = exitOf(child);
        const stdout = textOf(child.stdout);
        const stderr = textOf(child.stderr);
        await once(child.stderr ?? child, 'data');
        child.kill(signal);
        expect(await exited).toBe(code);
        expect(await stderr).toBe('ready\ncleaning up\n');
        expect(JSON.parse(await stdout).error.details).toEqual({ signal });
      }, 20_000);
    }

    test('tells what nobody caught like every other error', async () => {
      for (const how of [[], ['--reject']]) {
        const child = start(runtime, ['stray', '--json', ...how]);
        const exited = exitOf(child);
        const stdout = textOf(child.stdout);
        expect(await exited).toBe(1);
        expect(JSON.parse(await stdout)).toMatchObject({
          verb: 'stray',
          error: { code: 'INTERNAL', message: 'stray fault' },
        });
      }
    }, 20_000);

    test('ends after a signal although nobody reads what it writes', async () => {
      const child = start(runtime, ['flood']);
      const exited = exitOf(child);
      await once(child.stdout ?? child, 'readable'); // and no more is read
      child.kill('SIGTERM');
      expect(await exited).toBe(143);
      child.stdout?.destroy();
    }, 20_000);

    test('does not wait for the clean-up after a second signal', async () => {
      const child = start(runtime, ['wait', '--stuck']);
      const exited = exitOf(child);
      await once(child.stderr ?? child, 'data');
      child.kill('SIGTERM');
      await once(child.stderr ?? child, 'data');
      child.kill('SIGINT');
      expect(await exited).toBe(130);
    }, 20_000);
  });
}
