/** `wisp serve` as a program of its own, as a user would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalEngine } from '../../engine/local/local-engine.ts';
import { packageRoot } from '../../package-root.ts';
import { type RuntimeName, runtimeEnv } from '../helpers/programs.ts';

export interface ServedProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly socket: string;
  readonly tokenFile: string;
  readonly token: string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly stderr: () => string;
  /** Asks it to end, and waits until it has. */
  readonly stop: () => Promise<void>;
}

/** Resolves once it has said that it is ready. */
export async function startServe(
  home: string,
  { runtime = 'bun', args = [] }: { runtime?: RuntimeName; args?: readonly string[] } = {},
): Promise<ServedProcess> {
  const child = spawn(
    join(packageRoot(), 'bin', 'wisp'),
    ['serve', '--listen', '127.0.0.1:0', '--json', ...args],
    {
      env: { ...runtimeEnv(runtime), WISP_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text);
    });
    void ended.then(({ code }) => reject(new Error(`serve ended with ${code}: ${text}${stderr}`)));
  });
  const { data } = JSON.parse(line) as { data: { url: string; socket: string; token_file: string } };
  const token = readFileSync(data.token_file, 'utf8').trim();
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { child, ...data, tokenFile: data.token_file, token, ended, stderr: () => stderr, stop };
}

export function engineOf(home: string): LocalEngine {
  return new LocalEngine({ env: { ...process.env, WISP_HOME: home } });
}
