/**
 * kill -9 at every step of start, exec and kill: the next command finds the truth and nothing is orphaned.
 * Steps are met by killing after ever longer times, from the first instruction to the last.
 */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { eventually } from '../helpers/eventually.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

const bin = (name: string) => join(packageRoot(), 'bin', name);
const TEST_TIMEOUT_MS = 180_000;
/** More than a command takes on a slow machine, less where it is fast: the later ones then kill nothing. */
const DELAYS_MS = [1, 15, 30, 45, 60, 75, 90, 110, 130, 160, 200, 300];

let dir: TempDir;
let env: Record<string, string>;

beforeEach(() => {
  dir = tempDir();
  env = { PATH: process.env.PATH ?? '', HOME: dir.path, WISP_HOME: dir.join('wisp'), TMPDIR: dir.path };
});

afterEach(() => {
  for (const { name } of list()) call('wisp', 'kill', name);
  dir[Symbol.dispose]();
});

function call(program: 'wisp' | 'wreckit', ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(bin(program), args, {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

function list(): { name: string; state: string; error: string | null }[] {
  return JSON.parse(call('wisp', 'list', '--json').stdout).data.sprites;
}

/** Starts a command and kills it, and it alone, without warning. */
async function cutOff(program: 'wisp' | 'wreckit', args: string[], afterMs: number): Promise<void> {
  const child = spawn(bin(program), args, { env, stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  await Bun.sleep(afterMs);
  if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  await ended;
}

/** Control groups that nobody is in, or processes that see our directory; others may have sprites meanwhile. */
function groups(): string[] {
  const argv = ['/sys/fs/cgroup', '-maxdepth', '3', '-name', 'wisp-????????-????-*', '-type', 'd'];
  return spawnSync('find', argv, { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((path) => path !== '' && isOurs(path));
}

function isOurs(group: string): boolean {
  const procs = textOf(join(group, 'cgroup.procs'));
  if (procs === null) return false;
  const mounts = procs
    .split('\n')
    .filter(Boolean)
    .map((pid) => textOf(`/proc/${pid}/mountinfo`) ?? '');
  return mounts.length === 0 || mounts.some((text) => text.includes(dir.path));
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // It is gone.
  }
}

/** Names of what the runtime and the state directory still know, and of processes that see our directory. */
function leftovers(): string[] {
  const entries = (path: string) => {
    const at = join(env.WISP_HOME ?? '', path);
    return existsSync(at) ? readdirSync(at).filter((name) => !/^(probe|\.new-)/.test(name)) : [];
  };
  return [...entries('sprites'), ...entries('trash'), ...entries('run/oci')];
}

test(
  'start: after kill -9 at any moment the next start works, and kill leaves nothing',
  async () => {
    const before = new Set(groups());
    for (const [index, delayMs] of DELAYS_MS.entries()) {
      const args =
        index % 2 === 0
          ? (['wisp', ['start', 'demo']] as const)
          : (['wreckit', ['sprite', 'start', 'demo']] as const);
      await cutOff(args[0], [...args[1]], delayMs);
      for (const { state, error } of list())
        expect([state, error === null]).toEqual([state, state !== 'error']);
      expect(call('wisp', 'start', 'demo')).toMatchObject({ status: 0 });
      expect(call('wisp', 'exec', 'demo', '--', 'echo', 'fine')).toMatchObject({
        status: 0,
        stdout: 'fine\n',
      });
      expect(call('wisp', 'kill', 'demo')).toMatchObject({ status: 0 });
      expect(leftovers()).toEqual([]);
    }
    await eventually(() => groups().every((path) => before.has(path)), { what: 'the end of its groups' });
  },
  TEST_TIMEOUT_MS,
);

test(
  'start: what a killed start left is removed by gc, or was whole',
  async () => {
    for (const delayMs of DELAYS_MS) {
      await cutOff('wisp', ['start', 'demo'], delayMs);
      expect(call('wisp', 'gc', '--json').status).toBe(0);
      for (const { state } of list()) expect(['running', 'cold']).toContain(state);
      if (list().length > 0) expect(call('wisp', 'kill', 'demo').status).toBe(0);
      expect(leftovers()).toEqual([]);
    }
  },
  TEST_TIMEOUT_MS,
);

test(
  'exec: after kill -9 of the client the command has run or not, and the sprite works on',
  async () => {
    expect(call('wisp', 'start', 'demo').status).toBe(0);
    for (const delayMs of DELAYS_MS) {
      await cutOff('wisp', ['exec', 'demo', '--', 'sh', '-c', 'sleep 0.2; echo done'], delayMs);
      expect(call('wisp', 'exec', 'demo', '--', 'echo', 'fine')).toMatchObject({
        status: 0,
        stdout: 'fine\n',
      });
    }
    const isSettled = () => {
      const { sessions } = JSON.parse(call('wisp', 'sessions', 'demo', '--json').stdout).data;
      return sessions.every(({ state }: { state: string }) => state !== 'running');
    };
    await eventually(isSettled, { timeoutMs: 20_000, what: 'the sessions to end' });
    expect(JSON.parse(call('wisp', 'info', 'demo', '--json').stdout).data.sprite.state).toBe('running');
  },
  TEST_TIMEOUT_MS,
);

test(
  'kill: after kill -9 at any moment the next kill or gc finishes it',
  async () => {
    for (const [index, delayMs] of DELAYS_MS.entries()) {
      expect(call('wisp', 'start', 'demo').status).toBe(0);
      await cutOff('wisp', ['kill', 'demo'], delayMs);
      if (index % 2 === 0) {
        const { status } = call('wisp', 'kill', 'demo');
        expect([0, 3]).toContain(status ?? -1);
      }
      call('wisp', 'gc');
      if (list().length > 0) expect(call('wisp', 'kill', 'demo').status).toBe(0);
      expect(leftovers()).toEqual([]);
    }
  },
  TEST_TIMEOUT_MS,
);

test(
  "kill -9 of the sprite's PID 1 while a command runs: exec ends with an error, the sprite wakes again",
  async () => {
    expect(call('wisp', 'start', 'demo').status).toBe(0);
    const child = spawn(bin('wisp'), ['exec', 'demo', '--', 'sh', '-c', 'echo up; sleep 600'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    const record = JSON.parse(readFileSync(join(env.WISP_HOME ?? '', 'sprites/demo/record.json'), 'utf8'));
    process.kill(record.init.pid, 'SIGKILL');
    const [status] = await once(child, 'exit');
    expect(status).toBe(137);
    expect(call('wisp', 'exec', 'demo', '--', 'echo', 'fine')).toMatchObject({ status: 0, stdout: 'fine\n' });
  },
  TEST_TIMEOUT_MS,
);
