/**
 * A program on a real pseudo-terminal, driven from a test: `script` of util-linux holds the terminal, keys go
 * in and raw bytes come out. When the program has ended, its exit code and the terminal's settings follow.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { eventually } from '../helpers/eventually.ts';

export interface PtyOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cols?: number;
  readonly rows?: number;
}

export interface PtyEnd {
  readonly exitCode: number;
  /** What `stty -a` says afterwards. */
  readonly settings: string;
}

/** Tells its terminal and pid, becomes the program; what follows is of the shell around it. */
const AROUND = `
stty rows "$PTY_ROWS" cols "$PTY_COLS"
printf 'TTY:%s\\n' "$(tty)"
sh -c 'printf "PID:%s:\\n" $$; exec "$@"' sh "$@"
code=$?
printf '\\nEXIT:%s:\\n' "$code"
stty -a
printf 'THE-END\\n'`;

export class Pty implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #bytes = Buffer.alloc(0);

  constructor(argv: readonly string[], { env, cols = 80, rows = 24 }: PtyOptions) {
    const words = ['sh', '-c', AROUND, 'sh', ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
    this.#child = spawn('script', ['-q', '-e', '-f', '-c', words.join(' '), '/dev/null'], {
      env: { ...env, SHELL: '/bin/sh', PTY_COLS: String(cols), PTY_ROWS: String(rows) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Everything so far, from the program's first byte. */
  get text(): string {
    const text = this.#bytes.toString('utf8');
    return text.slice(text.search(/PID:\d+:/)).replace(/^PID:\d+:\r?\n/, '');
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  type(keys: string | Uint8Array): void {
    this.#child.stdin?.write(keys);
  }

  async see(what: string | RegExp, timeoutMs = 15_000): Promise<void> {
    const isThere = (): boolean =>
      typeof what === 'string' ? this.text.includes(what) : what.test(this.text);
    await eventually(isThere, { timeoutMs, what: String(what) }).catch((error: Error) => {
      throw new Error(`${error.message}; last seen: ${JSON.stringify(this.text.slice(-2000))}`);
    });
  }

  /** As when the window is resized. */
  async resize(cols: number, rows: number): Promise<void> {
    const path = await this.#value(/TTY:(\S+)/);
    const { status } = spawnSync('stty', ['-F', path, 'cols', String(cols), 'rows', String(rows)]);
    if (status !== 0) throw new Error(`stty: ${status}`);
  }

  async pid(): Promise<number> {
    return Number(await this.#value(/PID:(\d+):/));
  }

  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(await this.pid(), name);
  }

  /** The program's end. */
  async end(): Promise<PtyEnd> {
    await this.see('THE-END', 20_000);
    const text = this.#bytes.toString('utf8');
    const at = text.lastIndexOf('\nEXIT:');
    const [, code, settings = ''] = /\nEXIT:(\d+):\r?\n([\s\S]*)THE-END/.exec(text.slice(at)) ?? [];
    return { exitCode: Number(code), settings };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  async #value(pattern: RegExp): Promise<string> {
    return await eventually(() => pattern.exec(this.#bytes.toString('utf8'))?.[1], { what: String(pattern) });
  }
}

/** True for the settings a shell's terminal has. */
export function isSane(settings: string): boolean {
  const words = settings.split(/[\s;]+/);
  return ['icanon', 'echo', 'isig', 'icrnl', 'opost'].every((word) => words.includes(word));
}
