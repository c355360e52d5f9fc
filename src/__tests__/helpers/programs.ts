/** Runs the programs as a user would: their launchers, with the runtime asked for. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { testNodePath } from '../../../scripts/lib/test-nodes.mjs';
import { type RunOptions, run } from '../../process/run.ts';

export type RuntimeName = 'bun' | 'node' | 'node22' | 'node24';
export const RUNTIME_NAMES: readonly RuntimeName[] = ['bun', 'node', 'node22', 'node24'];

/** The environment that makes a launcher start its program on `runtime`. */
export function runtimeEnv(runtime: RuntimeName): Record<string, string> {
  const env = inheritedEnv();
  if (runtime === 'bun' || runtime === 'node') return { ...env, WRECKIT_RUNTIME: runtime };
  const node = testNodePath(Number(runtime.slice('node'.length)));
  if (!existsSync(node)) throw new Error(`${node}: not installed; run: node scripts/ensure.mjs --tests`);
  return { ...env, WRECKIT_RUNTIME: 'node', PATH: `${dirname(node)}${delimiter}${env.PATH ?? ''}` };
}

/** The program that runs JavaScript as `runtime` does. */
export function runtimePath(runtime: RuntimeName): string {
  if (runtime === 'bun') return process.execPath;
  const dir = (runtimeEnv(runtime).PATH ?? '')
    .split(delimiter)
    .find((each) => existsSync(join(each, 'node')));
  return join(dir ?? '', 'node');
}

/** npm keeps the settings and the cache of the person who runs the tests; of node_modules/.bin it needs nothing. */
export function npmEnv(): Record<string, string> {
  const env = inheritedEnv();
  const PATH = (env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => !dir.includes(`${join('node_modules', '.bin')}`))
    .join(delimiter);
  return { ...env, PATH, HOME: process.env.WRECKIT_TEST_HOME ?? env.HOME ?? '', CI: '1' };
}

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
  const result = await run(argv, { timeoutMs: 60_000, ...options });
  if (result.timedOut || result.spawnError) {
    throw new Error(`${argv.join(' ')}: ${result.timedOut ? 'timed out' : result.spawnError?.message}`);
  }
  return { exitCode: result.exitCode, stdout: textOf(result.stdout), stderr: textOf(result.stderr) };
}

/** Runs and expects exit 0; returns stdout. */
export async function succeed(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(argv, options);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ended with ${exitCode}\n${stdout}${stderr}`);
  return stdout;
}

function inheritedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
