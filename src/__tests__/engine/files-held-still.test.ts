import { expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Retaken } from '../../engine/local/files/retaken.ts';
import { toWreckitError } from '../../errors.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { filesOnThisMachine, handOver, readAll, streamOf } from './files-helpers.ts';

/** Calls that find the sprite held still by a checkpoint, as late as can be: when their process is to begin. */

const MANY_BYTES = Buffer.alloc(3_000_000, 'many ');

test('write() of a content in one piece, in many and in none waits for the sprite', async () => {
  using dir = tempDir();
  handOver(dir.path);
  const pieces = Array.from({ length: 300 }, (_, index) =>
    MANY_BYTES.subarray(index * 10_000, (index + 1) * 10_000),
  );
  for (const [name, content] of Object.entries({ one: [MANY_BYTES], many: pieces, none: [] })) {
    const files = filesOnThisMachine({ refusals: 2 });
    const { sizeBytes } = await files.write('demo', dir.join(name), streamOf(...content));
    const whole = Buffer.concat(content);
    expect([name, sizeBytes, readFileSync(dir.join(name)).equals(whole)]).toEqual([name, whole.length, true]);
  }
});

test('write() loses nothing of a content that comes only once the first process has left', async () => {
  using dir = tempDir();
  handOver(dir.path);
  let isAsked = false;
  async function* content() {
    isAsked = true;
    await eventually(() => entered > 2);
    yield Buffer.from('late');
  }
  let entered = 0;
  const files = filesOnThisMachine({ refusals: 2, onEnter: () => (entered += 1) });
  await files.write('demo', dir.join('f'), content());
  expect([isAsked, readFileSync(dir.join('f'), 'utf8')]).toEqual([true, 'late']);
});

test('read(), pack(), unpack() and watch() wait for the sprite', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('from'));
  writeFileSync(dir.join('from/f'), MANY_BYTES);
  handOver(dir.path);
  handOver(dir.join('from'));
  const files = () => filesOnThisMachine({ refusals: 2 });
  expect((await readAll(files().read('demo', dir.join('from/f')))).equals(MANY_BYTES)).toBe(true);
  const tar = await readAll(files().pack('demo', dir.join('from')));
  await files().unpack('demo', dir.join('to'), streamOf(tar));
  expect(readFileSync(dir.join('to/f')).equals(MANY_BYTES)).toBe(true);
  const leaving = new AbortController();
  let isReady = false;
  const onReady = () => {
    isReady = true;
    leaving.abort();
  };
  const watching = files().watch('demo', [dir.join('from')], { onReady, signal: leaving.signal });
  await watching.next().catch(() => undefined);
  expect(isReady).toBe(true);
});

test('a sprite that is held still again and again is told in the end', async () => {
  using dir = tempDir();
  handOver(dir.path);
  for (const call of [
    () => readAll(filesOnThisMachine({ refusals: 100 }).read('demo', dir.path)),
    () => filesOnThisMachine({ refusals: 100 }).write('demo', dir.join('f'), streamOf('x')),
  ]) {
    const error = await call().then(() => null, toWreckitError);
    expect(error?.message).toContain('paused container');
  }
});

test('Retaken is given again until more was taken than a pipe can hold', async () => {
  const taken = new Retaken(streamOf('a', 'b', Buffer.alloc(4_000_000), Buffer.alloc(4_000_000), 'c'));
  const first = taken[Symbol.asyncIterator]();
  await first.next();
  await first.return?.();
  const second = taken[Symbol.asyncIterator]();
  const read = async () => Buffer.from((await second.next()).value ?? '').length;
  expect([await read(), await read(), await read()]).toEqual([1, 1, 4_000_000]);
  expect(taken.canBeginAgain).toBe(true);
  expect([await read(), taken.canBeginAgain, await read(), await read()]).toEqual([4_000_000, false, 1, 0]);
});
