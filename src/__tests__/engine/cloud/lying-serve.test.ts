import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { parseApiUrl } from '../../../engine/cloud/api-target.ts';
import { CloudEngine } from '../../../engine/cloud/cloud-engine.ts';
import { type ServedProcess, startServe } from '../../api/served-process.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';

/** The cloud engine against `wisp serve --faults`: real sprites behind a server that lies. */
let dir: TempDir;
let served: ServedProcess;
let engine: CloudEngine;
const notices: string[] = [];

const FAULTS = [
  { on: 'POST /v1/sprites', kind: 'rate-limited', retry_after_seconds: 600, limit: 10 },
  { on: 'POST /v1/sprites', kind: 'rate-limited', retry_after_seconds: 1, limit: 10 },
  { on: 'POST /v1/sprites', kind: 'done-but-error' },
  { on: 'DELETE /v1/sprites/lost', kind: 'done-but-error' },
  { on: 'WEBSOCKET /v1/sprites/dropped/exec', nth: 2, kind: 'drop', after_bytes: 5000 },
  { on: 'WEBSOCKET /v1/sprites/silent/exec', nth: 2, kind: 'no-exit' },
  {
    on: 'WEBSOCKET /v1/sprites/late/exec',
    nth: 2,
    kind: 'late-close',
    delay_ms: 600_000,
    answers_close: false,
  },
  { on: 'GET /v1/sprites/dropped/fs/read', kind: 'drop', after_bytes: 10 },
];

beforeAll(async () => {
  dir = tempDir();
  const file = dir.join('faults.json');
  writeFileSync(file, JSON.stringify({ faults: FAULTS }));
  served = await startServe(dir.join('served'), { args: ['--faults', file] });
  engine = new CloudEngine({
    target: parseApiUrl(served.url),
    token: served.token,
    stateDir: dir.join('client'),
    onNotice: (text) => notices.push(text),
  });
});

afterAll(async () => {
  for (const { name } of await engine.list()) await engine.kill(name);
  await served.stop();
  dir[Symbol.dispose]();
});

async function exec(name: string, script: string) {
  await using handle = await engine.openSession(name, { command: ['sh', '-c', script] });
  let stdout = '';
  for await (const { bytes } of handle.output({ follow: true })) stdout += Buffer.from(bytes).toString();
  return { stdout, ...(await handle.exit()) };
}

test('a long limit is told, a short one waited out; a create and a delete that fail and are done are done, once', async () => {
  expect(await wreckitErrorOf(() => engine.start({ name: 'lost' }))).toMatchObject({
    code: 'RATE_LIMITED',
    details: { retry_after_seconds: 600, limit: 10 },
  });
  expect(await engine.list()).toEqual([]);
  expect(await engine.start({ name: 'lost' })).toMatchObject({ created: true });
  expect(notices.join()).toContain('trying again in 1 s');
  await engine.kill('lost');
  expect(await engine.list()).toEqual([]);
});

test('output dropped at a byte goes on at that byte', async () => {
  await engine.start({ name: 'dropped' });
  const { stdout, exitCode } = await exec('dropped', 'seq 1 20000; exit 9');
  expect(stdout).toBe(Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(''));
  expect(exitCode).toBe(9);
});

test('a file dropped at a byte is an error, not a shorter file', async () => {
  async function* content() {
    yield Buffer.alloc(100_000, 'x');
  }
  await engine.files.write('dropped', 'f', content());
  const read = async (): Promise<number> => {
    let size = 0;
    for await (const chunk of engine.files.read('dropped', 'f')) size += chunk.length;
    return size;
  };
  expect((await wreckitErrorOf(read)).code).toBe('ENGINE_UNAVAILABLE');
  expect(await read()).toBe(100_000);
});

test('an exit that is not told is asked for again, and is the real one', async () => {
  await engine.start({ name: 'silent' });
  expect(await exec('silent', 'echo out; exit 6')).toMatchObject({ stdout: 'out\n', exitCode: 6 });
});

test('an end that comes ten minutes late is not waited for', async () => {
  await engine.start({ name: 'late' });
  expect(await exec('late', 'exit 5')).toMatchObject({ exitCode: 5 });
});
