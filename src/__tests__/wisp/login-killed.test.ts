/** `wisp login` that ends in the middle: what was there stays whole, or the new is there whole; for its user alone. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServedProcess, startServe } from '../api/served-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { wispArgv, wispEnv } from './wisp-process.ts';

let dir: TempDir;
let served: ServedProcess;
let home: string;
let file: string;

/** Enough of them that the file is written in more than one piece where somebody cuts it short. */
const OTHERS = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [
    `https://server-${index}.test`,
    { store: 'file', token: `token-${index}-${'x'.repeat(400)}`, organization: null, stored_at: '' },
  ]),
);

beforeAll(async () => {
  dir = tempDir();
  served = await startServe(dir.join('served'));
});

afterAll(async () => {
  await served.stop();
  dir[Symbol.dispose]();
});

beforeEach(() => {
  home = dir.join('client');
  file = join(home, 'credentials.json');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { mode: 0o700 });
  const old = { store: 'file', token: 'old-token', organization: null, stored_at: '' };
  const servers = { ...OTHERS, [served.url]: old };
  writeFileSync(file, JSON.stringify({ servers }), { mode: 0o600 });
});

function login(prefix: readonly string[] = []) {
  const [program = '', ...args] = [...prefix, ...wispArgv('login', '--token-stdin')];
  const env = { ...wispEnv(home), SPRITES_API_URL: served.url };
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`${served.token}\n`);
  return { child, exit: once(child, 'exit') };
}

function storedToken(): string {
  const { servers } = JSON.parse(readFileSync(file, 'utf8'));
  const { [served.url]: own, ...others } = servers;
  expect(others).toEqual(OTHERS);
  return own.token;
}

/** Of every file there: nobody else may read one, also of those that were never finished. */
function modes(): string[] {
  const names = readdirSync(home).filter((name) => name.startsWith('credentials'));
  return [...new Set(names.map((name) => (statSync(join(home, name)).mode & 0o777).toString(8)))];
}

test('cut short by the kernel in the middle of its writing, it leaves the old tokens', async () => {
  // Files end after a few blocks; what writes more is ended by SIGXFSZ, or told EFBIG.
  const { exit } = login(['sh', '-c', 'ulimit -f 4; exec "$@"', 'sh']);
  expect(await exit).not.toEqual([0, null]);
  expect(storedToken()).toBe('old-token');
  expect(modes()).toEqual(['600']);
}, 60_000);

test('killed at any moment it leaves the old token or the new one; the next login takes away what it left', async () => {
  const seen = new Set<string>();
  for (let moment = 1; moment <= 8; moment += 1) {
    const { child, exit } = login();
    let changes = 0;
    using watcher = disposable(
      watch(home, () => {
        changes += 1;
        if (changes === moment) child.kill('SIGKILL');
      }),
    );
    await exit;
    void watcher;
    seen.add(storedToken());
    expect(modes()).toEqual(['600']);
  }
  expect([...seen].filter((token) => token !== 'old-token' && token !== served.token)).toEqual([]);
  writeFileSync(`${file}.999999999.left`, 'a token', { mode: 0o600 });
  expect(await login().exit).toEqual([0, null]);
  expect(storedToken()).toBe(served.token);
  await eventually(() => readdirSync(home).filter((name) => name.startsWith('credentials')).length === 1, {
    what: 'nothing but the one file',
  });
}, 120_000);

function disposable(closable: { close(): void }): Disposable {
  return { [Symbol.dispose]: () => closable.close() };
}
