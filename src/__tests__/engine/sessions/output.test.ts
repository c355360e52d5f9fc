import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputChunk } from '../../../engine/engine.ts';
import { findSession, openSession } from '../../../engine/local/sessions/index.ts';
import { sessionsDir } from '../../../engine/local/sessions/session-dir.ts';
import { run } from '../../../process/run.ts';
import { type BareContainer, bareContainer } from '../../helpers/bare-container.ts';
import { eventually } from '../../helpers/eventually.ts';
import {
  collect,
  commandOf,
  diskBytes,
  factsOf,
  pathOf,
  readUntil,
  runInSession,
} from './session-helpers.ts';

const MIB = 1024 * 1024;

let sprite: BareContainer;
beforeAll(async () => {
  sprite = await bareContainer();
});
afterAll(() => sprite[Symbol.asyncDispose]());

/** Every 8 bytes are the number of those before them, so that any loss or repetition shows. */
const COUNT = (megabytes: number): string[] => ['perl', '-e', COUNT_PROGRAM, String(megabytes)];
const COUNT_PROGRAM =
  '$| = 1; for ($block = 0; $block < $ARGV[0] * 16; $block++) { syswrite STDOUT, pack("Q>*", $block * 8192 .. $block * 8192 + 8191) }';

/** Throws at the first chunk that does not hold what belongs at its offset. */
function assertCounted({ offset, bytes }: OutputChunk): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = (8 - (offset % 8)) % 8;
  for (let at = first; at + 8 <= bytes.length; at += 8) {
    if (view.getBigUint64(at) === BigInt((offset + at) / 8)) continue;
    throw new Error(`offset ${offset + at}: found ${view.getBigUint64(at)}`);
  }
}

describe('output()', () => {
  test('gives every byte of binary output, and of text that is no UTF-8', async () => {
    const random = 'head -c 67108864 /dev/urandom >/tmp/random; sha256sum </tmp/random >&2; cat /tmp/random';
    await using session = await openSession(sprite, { command: commandOf(random) });
    const hash = createHash('sha256');
    let said = '';
    for await (const { stream, bytes } of session.output({ follow: true })) {
      if (stream === 'stdout') hash.update(bytes);
      else said += Buffer.from(bytes).toString();
    }
    expect(said).toBe(`${hash.digest('hex')}  -\n`);
    const broken = await runInSession(sprite, 'printf "\\303\\050\\377\\000\\342\\202"');
    expect([...broken.stdout]).toEqual([0xc3, 0x28, 0xff, 0x00, 0xe2, 0x82]);
  }, 30_000);

  test('keeps the two streams apart, each in its own order', async () => {
    const { stdout, stderr } = await runInSession(sprite, 'for i in 1 2 3; do echo o$i; echo e$i >&2; done');
    expect([stdout.toString(), stderr.toString()]).toEqual(['o1\no2\no3\n', 'e1\ne2\ne3\n']);
  });

  test('brings each write as it is made', async () => {
    await using session = await openSession(sprite, {
      command: commandOf('printf a; read line; printf b; read line; printf c'),
      stdin: true,
    });
    let text = '';
    for await (const { bytes } of session.output({ follow: true })) {
      text += Buffer.from(bytes).toString();
      await session.write(Buffer.from('\n'));
    }
    expect(text).toBe('abc');
  });

  test('starts where it is asked to, from either end', async () => {
    const { id } = await runInSession(sprite, 'printf 0123456789; printf abc >&2');
    const session = findSession(sprite.dir, id, sprite);
    const text = async (request: object): Promise<string[]> => {
      const { stdout, stderr } = await collect(session, request);
      return [stdout.toString(), stderr.toString()];
    };
    expect(await text({})).toEqual(['0123456789', 'abc']);
    expect(await text({ stdoutFrom: 7, stderrFrom: 1 })).toEqual(['789', 'bc']);
    expect(await text({ stdoutFrom: -4, streams: ['stdout'] })).toEqual(['6789', '']);
    expect(await text({ stdoutFrom: -400, stderrFrom: 99, follow: true })).toEqual(['0123456789', '']);
  });

  test('without following stops at the present end', async () => {
    await using session = await openSession(sprite, { command: commandOf('echo now; exec sleep 60') });
    await readUntil(session, (text) => text === 'now\n');
    expect((await collect(session, {})).stdout.toString()).toBe('now\n');
  });

  test('serves several readers, each at its own offset, with the same bytes', async () => {
    await using session = await openSession(sprite, { command: COUNT(20) });
    const read = async (stdoutFrom: number): Promise<number> => {
      let end = stdoutFrom;
      const reader = findSession(sprite.dir, session.id, sprite);
      for await (const chunk of reader.output({ follow: true, stdoutFrom })) {
        if (chunk.offset !== end) throw new Error(`offset ${chunk.offset} after ${end}`);
        assertCounted(chunk);
        end += chunk.bytes.length;
      }
      return end;
    };
    const ends = await Promise.all([read(0), read(0), read(5_000_001), read(20 * MIB)]);
    expect(ends).toEqual([20 * MIB, 20 * MIB, 20 * MIB, 20 * MIB]);
  }, 30_000);

  test('ends with the command, while a process it left behind holds the pipe and writes on', async () => {
    const started = performance.now();
    const outcome = await runInSession(sprite, 'sleep 3 & echo done');
    expect(performance.now() - started).toBeLessThan(2500);
    expect(outcome).toMatchObject({ exitCode: 0, stdout: Buffer.from('done\n') });
    const left = await runInSession(sprite, '(sleep 1; echo late) & echo early');
    expect(left.stdout.toString()).toBe('early\n');
    const session = findSession(sprite.dir, left.id, sprite);
    await eventually(async () => (await collect(session, {})).stdout.toString() === 'early\nlate\n');
  });

  test('stops when it is aborted, and lets go of what it held', async () => {
    await using session = await openSession(sprite, { command: ['sleep', '60'] });
    const controller = new AbortController();
    const reading = collect(session, { follow: true, signal: controller.signal });
    const readers = (): string[] =>
      readdirSync(pathOf(sprite, session.id)).filter((name) => name.startsWith('reader.'));
    await eventually(() => readers().length === 1);
    controller.abort(new Error('enough'));
    expect(reading).rejects.toThrow('enough');
    await reading.catch(() => undefined);
    expect(readers()).toEqual([]);
  });
});

describe('a log at its cap', () => {
  test('drops its head while nobody reads, and says how much', async () => {
    await using session = await openSession(sprite, { command: COUNT(300) });
    await session[Symbol.asyncDispose]();
    let most = 0;
    await eventually(
      () => {
        most = Math.max(most, diskBytes(sprite, session.id));
        return factsOf(sprite, session.id).state?.is_drained ?? false;
      },
      { timeoutMs: 60_000 },
    );
    expect(most).toBeLessThanOrEqual(64 * MIB);
    expect(most).toBeGreaterThan(40 * MIB);
    const { stdout_bytes: size, stdout_start: start } = await session.info();
    expect(size).toBe(300 * MIB);
    expect(start).toBeGreaterThan(236 * MIB);
    expect(start).toBeLessThanOrEqual(244 * MIB);
    let [dropped, seen] = [0, 0];
    for await (const chunk of session.output()) {
      assertCounted(chunk);
      dropped += chunk.droppedBytes;
      seen += chunk.bytes.length;
    }
    expect([dropped, seen]).toEqual([start, size - start]);
  }, 90_000);

  test('waits for a slow reader, which loses nothing', async () => {
    await using session = await openSession(sprite, { command: COUNT(40), logCapBytes: 2 * MIB });
    let end = 0;
    let pauses = 0;
    for await (const chunk of session.output({ follow: true })) {
      expect([chunk.offset, chunk.droppedBytes]).toEqual([end, 0]);
      assertCounted(chunk);
      end += chunk.bytes.length;
      if (end > (pauses + 1) * 4 * MIB) {
        pauses += 1;
        // The log fills up to the cap, then the command waits.
        await eventually(() => diskBytes(sprite, session.id) > 1.5 * MIB);
        expect(diskBytes(sprite, session.id)).toBeLessThanOrEqual(2 * MIB);
      }
    }
    expect([end, pauses]).toEqual([40 * MIB, 9]);
  }, 60_000);

  test('keeps everything for the one who opened it and has not yet read', async () => {
    await using session = await openSession(sprite, { command: COUNT(8), logCapBytes: 1 * MIB });
    await eventually(() => diskBytes(sprite, session.id) > 0.9 * MIB);
    const { stdout, droppedBytes } = await collect(session, { follow: true });
    expect([stdout.length, droppedBytes]).toEqual([8 * MIB, 0]);
  }, 30_000);

  test('does not wait for a reader that has died', async () => {
    await using session = await openSession(sprite, { command: COUNT(20), logCapBytes: MIB });
    const sessions = join(import.meta.dirname, '../../../engine/local/sessions/index.ts');
    const program = `
      import { findSession } from ${JSON.stringify(sessions)};
      const session = findSession(${JSON.stringify(sprite.dir)}, ${JSON.stringify(session.id)}, null);
      for await (const chunk of session.output({ follow: true })) {
        process.stdout.write('reading');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }`;
    const reader = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(reader.stdout, 'data');
    await session[Symbol.asyncDispose]();
    await eventually(() => diskBytes(sprite, session.id) > 0.9 * MIB);
    expect((await session.info()).stdout_bytes).toBeLessThanOrEqual(MIB);
    reader.kill('SIGKILL');
    await once(reader, 'exit');
    expect(await session.exit()).toMatchObject({ exitCode: 0 });
  }, 30_000);

  test('is drained to nowhere when its directory is gone, and the command goes on', async () => {
    await using session = await openSession(sprite, {
      command: commandOf(`read go; perl -e '${COUNT_PROGRAM}' 100; touch /tmp/written; exec sleep 60`),
      stdin: true,
      logCapBytes: MIB,
    });
    rmSync(pathOf(sprite, session.id), { recursive: true });
    await session.write(Buffer.from('\n'));
    await eventually(
      async () => (await runInSession(sprite, ['test', '-e', '/tmp/written'])).exitCode === 0,
      {
        timeoutMs: 20_000,
      },
    );
  }, 40_000);

  describe.if(process.getuid?.() === 0)('on a disk of its own', () => {
    async function onDisk<T>(type: string, options: string, use: () => Promise<T>): Promise<T> {
      await runInSession(sprite, ['true']);
      const dir = sessionsDir(sprite.dir);
      await run(['mount', '-t', type, '-o', options, type, dir]);
      try {
        return await use();
      } finally {
        await eventually(() => !spawnSync('umount', [dir]).status);
      }
    }

    test.each([
      ['in its first file', 64],
      ['in segments', 2],
    ])(
      'gives up its past when the disk is full, %s, and says so',
      async (_where, capMiB) => {
        await onDisk('tmpfs', 'size=1m', async () => {
          await using session = await openSession(sprite, { command: COUNT(30), logCapBytes: capMiB * MIB });
          let [dropped, seen, end] = [0, 0, 0];
          for await (const chunk of session.output({ follow: true })) {
            expect(chunk.offset).toBe(end + chunk.droppedBytes);
            dropped += chunk.droppedBytes;
            seen += chunk.bytes.length;
            end = chunk.offset + chunk.bytes.length;
          }
          expect(await session.exit()).toMatchObject({ exitCode: 0 });
          expect(seen).toBeGreaterThan(0);
          expect(dropped + seen).toBeGreaterThanOrEqual(30 * MIB);
          expect(
            readdirSync(pathOf(sprite, session.id)).filter((name) => name.endsWith('.log')).length,
          ).toBeLessThan(12);
        });
      },
      40_000,
    );

    test('is as bounded where the file system has no holes, and waits for its readers', async () => {
      await onDisk('ramfs', 'mode=0700', async () => {
        // Odd lengths: no segment ends where a block does.
        const command = commandOf('for i in 1 2 3 4; do printf abc; head -c 3145728 /dev/zero; done');
        await using session = await openSession(sprite, { command, logCapBytes: MIB });
        let end = 0;
        for await (const { offset, bytes, droppedBytes } of session.output({ follow: true })) {
          expect([offset, droppedBytes]).toEqual([end, 0]);
          end += bytes.length;
        }
        expect(end).toBe(12 * (MIB + 1));
        expect((await session.info()).stdout_start).toBeGreaterThan(11 * MIB);
        expect(await session.exit()).toMatchObject({ exitCode: 0 });
      });
    }, 40_000);
  });
});
