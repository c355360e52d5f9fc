/** A project of git with `wreckit` run in it on the real engine, everything of it in a directory of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../package-root.ts';
import { tempDir } from './temp-dir.ts';

export const WRECKIT = join(packageRoot(), 'bin', 'wreckit');
const TIMEOUT_MS = 90_000;

export interface SpriteProject extends Disposable {
  /** The project's directory. */
  readonly path: string;
  readonly env: Record<string, string>;
  /** A path beside the project, on this machine. */
  beside(name: string): string;
  write(files: Readonly<Record<string, string>>): void;
  git(...args: string[]): string;
  /** The agent: a shell script that gets the prompt on its standard input. */
  agent(script: string, settings?: object): void;
  wreckit(...args: string[]): { status: number | null; stdout: string; stderr: string };
  /** `wreckit run --json`. */
  run(...args: string[]): { status: number | null; data: { run: Record<string, unknown> } };
  /** `wreckit run` that goes on. */
  start(...args: string[]): ReturnType<typeof spawn>;
  sprites(): string[];
}

/** With `files` committed, and at the end without sprites. */
export function spriteProject(files: Readonly<Record<string, string>> = { 'a.txt': 'one\n' }): SpriteProject {
  const dir = tempDir();
  const path = dir.join('project');
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: dir.join('home'),
    WISP_HOME: dir.join('wisp'),
    TMPDIR: dir.path,
  };
  const write = (contents: Readonly<Record<string, string>>): void => {
    for (const [name, content] of Object.entries(contents)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
  };
  const git = (...args: string[]): string => {
    const done = spawnSync('git', args, { cwd: path, env, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  const wreckit = (...args: string[]) =>
    spawnSync(WRECKIT, args, { cwd: path, env, encoding: 'utf8', timeout: TIMEOUT_MS });
  const sprites = (): string[] => {
    const { data } = JSON.parse(wreckit('sprite', 'list', '--json').stdout);
    return data.sprites.map(({ name }: { name: string }) => name);
  };
  mkdirSync(dir.join('home'));
  write({ '.gitignore': '.wreckit/\n', ...files });
  for (const args of ['init -q -b main', 'config user.name T', 'config user.email t@t', 'add -A'])
    git(...args.split(' '));
  git('commit', '-qm', 'first');
  return {
    path,
    env,
    beside: (name) => dir.join(name),
    write,
    git,
    agent(script, settings = {}) {
      const agent = { kind: 'process', command: 'sh', args: ['-c', script] };
      write({ '.wreckit/config.json': JSON.stringify({ agent: { kind: 'sprite', agent, ...settings } }) });
    },
    wreckit,
    run(...args) {
      const { status, stdout } = wreckit('run', '--json', ...args);
      return { status, ...JSON.parse(stdout) };
    },
    start: (...args) =>
      spawn(WRECKIT, ['run', ...args], { cwd: path, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    sprites,
    [Symbol.dispose]() {
      for (const name of sprites()) wreckit('sprite', 'kill', name);
      dir[Symbol.dispose]();
    },
  };
}
