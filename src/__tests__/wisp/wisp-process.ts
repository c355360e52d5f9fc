import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { type RunOptions, type RunResult, run } from '../../process/run.ts';

/** argv of wisp, from its sources, on the runtime of the tests. */
export function wispArgv(...args: readonly string[]): string[] {
  return [process.execPath, join(packageRoot(), 'src', 'wisp', 'index.ts'), ...args];
}

export function wispEnv(home: string): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR = '', WRECKIT_TEST_SCOPE = '' } = process.env;
  return { PATH, HOME, TMPDIR, WRECKIT_TEST_SCOPE, WISP_HOME: home, LC_ALL: 'C.UTF-8' };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look at whatever the document has
export type Document = any;

/** wisp of one state directory, as processes. */
export class WispProcess {
  readonly env: Readonly<Record<string, string>>;

  constructor(home: string) {
    this.env = wispEnv(home);
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return await run(wispArgv(...args), { timeoutMs: 60_000, env: this.env, ...options });
  }

  async text(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    const { exitCode, stdout, stderr } = await this.run(args, options);
    return { exitCode, stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString() };
  }

  /** The document and the exit code; fails unless stdout is exactly one document. */
  async json(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<{ exitCode: number | null; document: Document }> {
    const { exitCode, stdout, stderr } = await this.text(['--json', ...args], options);
    try {
      return { exitCode, document: JSON.parse(stdout) };
    } catch {
      throw new Error(`wisp ${args.join(' ')}: no document: ${JSON.stringify({ exitCode, stdout, stderr })}`);
    }
  }

  start(args: readonly string[]): Client {
    return new Client(
      spawn(wispArgv(...args)[0] ?? '', wispArgv(...args).slice(1), { env: this.env, stdio: 'pipe' }),
    );
  }
}

/** A wisp that runs: what it has printed so far, and its end. */
export class Client implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    this.exited = once(child, 'exit').then(([code, signal]) => code ?? signal);
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    child.stdin?.on('error', () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
