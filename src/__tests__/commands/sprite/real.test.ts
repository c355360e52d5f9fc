/** The sprite verbs on the bundled wisp and its real engine. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../package-root.ts';
import { run } from '../../../process/run.ts';
import { decodeUtf8 } from '../../../process/text.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type RuntimeName, runtimeEnv } from '../../helpers/programs.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { wreckitJson } from '../../helpers/wreckit.ts';
import { isSane, Pty } from '../../wisp/pty.ts';

const WRECKIT = join(packageRoot(), 'bin', 'wreckit');
const LIMIT_MS = 60_000;
const DETACH = '\x1c';

const dir = tempDir();
const env = {
  PATH: process.env.PATH ?? '',
  HOME: dir.join('home'),
  TMPDIR: dir.path,
  WISP_HOME: dir.join('wisp'),
  // What a test leaves behind is found by it.
  WRECKIT_TEST_SCOPE: process.env.WRECKIT_TEST_SCOPE ?? '',
};
const project = dir.join('project');

async function json(...words: readonly string[]) {
  return await wreckitJson(['sprite', ...words], { cwd: project, env });
}

async function inSprite(script: string): Promise<string> {
  const { document } = await json('exec', 'demo', '--', 'sh', '-c', script);
  return document.data.stdout;
}

function onTerminal(...words: readonly string[]): Pty {
  return new Pty([WRECKIT, 'sprite', ...words], { env: { ...env, TERM: 'xterm-256color' } });
}

beforeAll(async () => {
  mkdirSync(env.HOME);
  cpSync(join(packageRoot(), 'fixtures', 'project'), project, { recursive: true });
  writeFileSync(join(project, '.env'), 'SECRET=canary\n');
  const { document } = await json('start', 'demo', '--push');
  expect(document.data.created).toBe(true);
}, LIMIT_MS);

afterAll(async () => {
  await json('kill', 'demo');
  dir[Symbol.dispose]();
}, LIMIT_MS);

for (const runtime of ['bun', 'node'] satisfies RuntimeName[]) {
  test(
    `wreckit sprite start on ${runtime} says the same whether it waits for wisp or becomes it`,
    async () => {
      const start = async (...words: readonly string[]) => {
        const { exitCode, stdout, stderr } = await run([WRECKIT, 'sprite', 'start', ...words], {
          env: { ...runtimeEnv(runtime), ...env, WRECKIT_MAX_VMS: '2' },
          cwd: project,
        });
        return { exitCode, stdout: decodeUtf8(stdout), stderr: decodeUtf8(stderr) };
      };
      const other = `other-${runtime}`;
      // Who is told less, or more, waits for it.
      expect((await start(other, '--memory', '256MiB')).stdout).toBe(
        `started ${other} (isolation namespace, network none, 256 MiB, 1 CPU)\n`,
      );
      expect(await start(other)).toEqual({ exitCode: 0, stdout: `${other} is running\n`, stderr: '' });
      expect(await start(other, '--quiet')).toEqual({
        exitCode: 0,
        stdout: `${other} is running\n`,
        stderr: '',
      });
      const refused = await start('third');
      expect(refused).toMatchObject({ exitCode: 5, stdout: '' });
      expect(refused.stderr).toContain('there are 2 sprites');
      expect(refused.stderr).toContain('maxVMs');
      await json('kill', other);
    },
    LIMIT_MS,
  );

  test(
    `wreckit sprite exec on ${runtime} runs the tests of the project that start --push put there`,
    async () => {
      const result = await run([WRECKIT, 'sprite', 'exec', 'demo', '--', 'npm', 'test'], {
        env: { ...runtimeEnv(runtime), ...env },
        cwd: project,
      });
      expect([Buffer.from(result.stderr).toString(), result.exitCode]).toEqual(['', 0]);
      expect(Buffer.from(result.stdout).toString()).toMatch(/fail 0/);
    },
    LIMIT_MS,
  );
}

test(
  'wreckit sprite push sends what changed, keeps secrets here and says so',
  async () => {
    const again = await json('push', 'demo');
    expect(again.document.data).toMatchObject({ sent_files: 0, removed_files: 0 });
    expect(again.stderr).toContain('stays here: .env is an environment file');
    expect(again.document.data.kept_back).toContainEqual(
      expect.objectContaining({ path: '.env', kind: 'secret' }),
    );
    writeFileSync(join(project, 'new.txt'), 'new');
    expect((await json('push', 'demo')).document.data).toMatchObject({ sent_files: 1 });
    expect(await inSprite('cat new.txt; ls -A')).not.toContain('canary');
    expect((await inSprite('ls -A')).split('\n')).not.toContain('.env');
  },
  LIMIT_MS,
);

test(
  'wreckit sprite push of a file makes it under the name that was asked for',
  async () => {
    writeFileSync(dir.join('tool.sh'), '#!/bin/sh\necho tool\n', { mode: 0o755 });
    await json('push', 'demo', dir.join('tool.sh'), '/home/sprite/bin/');
    expect(await inSprite('/home/sprite/bin/tool.sh')).toBe('tool\n');
    await json('push', 'demo', dir.join('tool.sh'));
    expect(await inSprite('./tool.sh')).toBe('tool\n');
  },
  LIMIT_MS,
);

test(
  'wreckit sprite pull brings files and modes, and leaves what a sprite must not bring',
  async () => {
    const plant = 'mkdir -p out/.git && cd out && echo x > .git/config && echo hi > a && chmod 755 a';
    await inSprite(`${plant} && ln -s a good && ln -s /etc/passwd bad && mkfifo pipe`);
    const { document, exitCode } = await json('pull', 'demo', 'project/out', dir.join('pulled'));
    expect(exitCode).toBe(0);
    expect(readdirSync(dir.join('pulled')).sort()).toEqual(['a', 'good']);
    expect(readFileSync(dir.join('pulled', 'good'), 'utf8')).toBe('hi\n');
    expect(statSync(dir.join('pulled', 'a')).mode & 0o777).toBe(0o755);
    const left: { path: string }[] = document.data.left_in_sprite;
    expect(left.map(({ path }) => path).sort()).toEqual(expect.arrayContaining(['"./.git/"', '"./bad"']));
  },
  LIMIT_MS,
);

test(
  'SIGINT to wreckit sprite exec reaches the command in the sprite',
  async () => {
    const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.1; done';
    const abort = new AbortController();
    let output = '';
    const done = run([WRECKIT, 'sprite', 'exec', 'demo', '--', 'sh', '-c', script], {
      env: { ...env, WRECKIT_RUNTIME: 'bun' },
      signal: abort.signal,
      onSpawn: (pid) => {
        void eventually(() => output.includes('ready')).then(() => process.kill(pid, 'SIGINT'));
      },
      stdout: (chunk) => {
        output += Buffer.from(chunk).toString();
      },
    });
    expect((await done).exitCode).toBe(130);
    expect(output).toBe('ready\ncaught\n');
  },
  LIMIT_MS,
);

test(
  'wreckit sprite attach hands the terminal over: a shell, detach, back, and the exit code',
  async () => {
    await using first = onTerminal('attach', 'demo');
    await first.see(/[$#] /);
    first.type('echo "sum $((40+2))"; stty size\r');
    await first.see('sum 42');
    await first.see('24 80');
    first.type(DETACH);
    const left = await first.end();
    expect([left.exitCode, isSane(left.settings)]).toEqual([0, true]);
    const [, id = ''] = /come back: wreckit sprite attach demo (\S+)/.exec(first.text) ?? [];
    await using second = onTerminal('attach', 'demo', id);
    await second.see('sum 42');
    await second.resize(100, 30);
    second.type('until stty size | grep "30 1"; do sleep 0.1; done\r');
    await second.see('30 100');
    second.type('sleep 100\r');
    await second.see('sleep 100');
    second.type('\x03');
    second.type('exit 7\r');
    const end = await second.end();
    expect([end.exitCode, isSane(end.settings)]).toEqual([7, true]);
  },
  LIMIT_MS,
);

for (const [name, code] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(
    `${name} to wreckit sprite attach gives the terminal back and ends with ${code}`,
    async () => {
      await using pty = onTerminal('attach', 'demo');
      await pty.see(/[$#] /);
      await pty.signal(name);
      const end = await pty.end();
      expect([end.exitCode, isSane(end.settings)]).toEqual([code, true]);
    },
    LIMIT_MS,
  );
}

test(
  'wreckit sprite exec --tty gives the command a terminal of our size',
  async () => {
    await using pty = onTerminal('exec', 'demo', '--tty', '--', 'sh', '-c', 'stty size; tty; exit 5');
    const end = await pty.end();
    expect([end.exitCode, isSane(end.settings)]).toEqual([5, true]);
    expect(pty.text).toContain('24 80');
    expect(pty.text).toContain('/dev/pts/');
  },
  LIMIT_MS,
);

test(
  'two starts of one name at once make one sprite; a kill while it starts leaves nothing',
  async () => {
    const [a, b] = await Promise.all([json('start', 'twin'), json('start', 'twin')]);
    const created = [a, b].filter(({ document }) => document.data?.created === true);
    expect(created).toHaveLength(1);
    const [start, kill] = await Promise.all([json('start', 'brief'), json('kill', 'brief')]);
    expect([start.exitCode, kill.exitCode].every((code) => [0, 3, 5].includes(code))).toBe(true);
    await json('kill', 'brief');
    await json('kill', 'twin');
    const { document } = await json('list');
    expect(document.data.sprites.map((sprite: { name: string }) => sprite.name)).toEqual(['demo']);
    expect(existsSync(join(env.WISP_HOME, 'sprites', 'brief'))).toBe(false);
  },
  LIMIT_MS,
);
