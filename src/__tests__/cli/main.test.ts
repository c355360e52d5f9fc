import { describe, expect, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

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
        expect(await textOf(child.stderr)).toContain('error: output: it can not be written: ENOSPC');
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
