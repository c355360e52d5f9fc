/**
 * The two host processes that are a filtered sprite's only way out:
 *
 *   program in the sprite ─ TCP 127.0.0.1:3128 ─▶ relay (the sprite's network namespace, nothing else of it)
 *                             ─ egress.sock ─▶ proxy (the host's network): names, rules, verdicts ─▶ the internet
 *
 * A process has the network it was started in, hence two. Both end by themselves when the sprite's PID 1 does;
 * without either of them the sprite reaches nothing.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SpriteStartError } from '../../../errors.ts';
import { packageRoot } from '../../../package-root.ts';
import { identify, isSameProcess, type ProcessIdentity } from '../../../process/identity.ts';
import { stopGroup } from '../../../process/ladder.ts';
import { readJsonFile, writeJsonFile } from '../../json-file.ts';
import type { RunningSprite } from '../inside.ts';
import { requireTool, TOOL_ENV } from '../tools.ts';

export const EGRESS_SOCKET = 'egress.sock';
const READY_TIMEOUT_MS = 15_000;

function egressDir(spriteDir: string): string {
  return join(spriteDir, 'egress');
}

/** Starts what is missing of the two and waits until both serve. Throws `SPRITE_START_FAILED`. */
export async function ensureEgress(sprite: RunningSprite, rootless: boolean): Promise<void> {
  if (isEgressUp(sprite.dir)) return;
  await stopEgress(sprite.dir);
  const dir = egressDir(sprite.dir);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  rmSync(join(dir, EGRESS_SOCKET), { force: true });
  const wisp = join(packageRoot(), 'bin', 'wisp');
  const init = String(sprite.initPid);
  const proxy = await startProcess([wisp, 'egress-proxy', '--init', init], dir);
  writeJsonFile(processesFile(dir), { processes: [proxy] });
  const namespaces = rootless ? ['--user', '--preserve-credentials', '--net'] : ['--net'];
  const entered = [requireTool('nsenter', 'util-linux'), '--target', init, ...namespaces, '--'];
  const relay = await startProcess([...entered, wisp, 'egress-relay', '--init', init], dir);
  writeJsonFile(processesFile(dir), { processes: [proxy, relay] });
}

export function isEgressUp(spriteDir: string): boolean {
  const processes = readProcesses(egressDir(spriteDir));
  return processes.length === 2 && processes.every(isSameProcess);
}

export async function stopEgress(spriteDir: string): Promise<void> {
  const living = readProcesses(egressDir(spriteDir)).filter(isSameProcess);
  await Promise.all(living.map(({ pid }) => stopGroup(pid, { graceMs: 1000 })));
}

/** Resolves once the program has said that it serves (a line on its stdout). */
function startProcess(argv: readonly string[], cwd: string): Promise<ProcessIdentity> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    cwd,
    env: { ...TOOL_ENV, HOME: '/' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => fail('it did not answer in time'), READY_TIMEOUT_MS);
    const settle = () => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    };
    const fail = (why: string) => {
      settle();
      child.kill('SIGKILL');
      reject(new SpriteStartError(`network filter: ${why}`, { details: { program: args[0] ?? program } }));
    };
    child.on('error', ({ message }) => fail(message));
    child.on('exit', (code) => fail(said.trim().split('\n').at(-1) || `it ended with exit code ${code}`));
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-2000);
    });
    child.stdout.once('data', () => {
      const identity = child.pid === undefined ? null : identify(child.pid);
      if (identity === null) return fail('it ended at once');
      settle();
      resolve(identity);
    });
  });
}

function processesFile(dir: string): string {
  return join(dir, 'processes.json');
}

function readProcesses(dir: string): ProcessIdentity[] {
  if (!existsSync(processesFile(dir))) return [];
  const value = readJsonFile(processesFile(dir));
  const list = typeof value === 'object' && value !== null && 'processes' in value ? value.processes : null;
  return Array.isArray(list) ? list.filter(isIdentity) : [];
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTime, bootId } = value as Partial<ProcessIdentity>;
  return typeof pid === 'number' && typeof startTime === 'string' && typeof bootId === 'string';
}
