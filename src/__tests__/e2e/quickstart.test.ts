import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { succeed } from '../helpers/programs.ts';

const LIMIT_MS = 120_000;

/** `npm run quickstart` without npm; `whenItSays` is called with the process once the text was printed. */
async function quickstart(whenItSays?: [text: string, act: (pid: number) => void]) {
  const child = spawn('node', [join(packageRoot(), 'scripts', 'quickstart.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  let isDone = whenItSays === undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (isDone || whenItSays === undefined || child.pid === undefined) return;
    if (!stdout.includes(whenItSays[0])) return;
    isDone = true;
    whenItSays[1](child.pid);
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout };
}

async function spritesLeft(): Promise<unknown> {
  const wisp = join(packageRoot(), 'bin', 'wisp');
  return JSON.parse(await succeed([wisp, 'list', '--json'])).data.sprites;
}

test(
  "quickstart runs a real project's tests in a sprite, says where to go on and leaves nothing",
  async () => {
    const { exitCode, stdout } = await quickstart();
    expect(exitCode).toBe(0);
    for (const text of ['pass 10', '$ wreckit sprite list', 'Next: README.md'])
      expect(stdout).toContain(text);
    expect(await spritesLeft()).toEqual([]);
    expect(existsSync(join(packageRoot(), 'fixtures', 'project', '.wreckit'))).toBe(false);
  },
  LIMIT_MS,
);

test(
  'quickstart removes its sprite when its terminal goes away',
  async () => {
    const { exitCode } = await quickstart(['$ wreckit sprite push', (pid) => process.kill(pid, 'SIGHUP')]);
    expect(exitCode).toBe(129);
    expect(await spritesLeft()).toEqual([]);
  },
  LIMIT_MS,
);
