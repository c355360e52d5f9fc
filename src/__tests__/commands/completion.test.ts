import { describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { packageRoot } from '../../package-root.ts';
import { run } from '../../process/run.ts';
import { fakeWisp } from '../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../helpers/wreckit.ts';

interface Asked {
  readonly files: boolean;
  readonly values: readonly string[];
}

/** What `wreckit __complete` offers for the words, the last one under the cursor. */
async function offered(
  words: readonly string[],
  options: Parameters<typeof wreckit>[1] = {},
): Promise<Asked> {
  const { document, exitCode } = await wreckitJson(['__complete', '--', ...words], options);
  expect(exitCode).toBe(0);
  return {
    files: document.data.files,
    values: document.data.candidates.map(({ value }: { value: string }) => value),
  };
}

async function withSprites(
  dir: TempDir,
  ...names: string[]
): Promise<{ cwd: string; env: Record<string, string> & { WRECKIT_WISP_PATH: string } }> {
  const wisp = fakeWisp(dir);
  const options = { cwd: dir.path, env: { ...wisp.env, WRECKIT_WISP_PATH: wisp.path } };
  for (const name of names) expect((await wreckit(['sprite', 'start', name], options)).exitCode).toBe(0);
  return options;
}

describe('wreckit __complete offers', () => {
  test('verbs, then the verbs of a group, never hidden ones', async () => {
    const { values } = await offered(['']);
    expect(values).toEqual(expect.arrayContaining(['sprite', 'init', 'config', 'doctor', 'completion']));
    expect(values).not.toContain('__complete');
    expect((await offered(['co'])).values).toEqual(['config', 'completion']);
    expect((await offered(['--json', 'config', ''])).values).toEqual(['show']);
    expect((await offered(['nonsense', ''])).values).toEqual([]);
  });

  test('flags of the verb and global ones, those given once not again', async () => {
    expect((await offered(['doctor', '--'])).values).toEqual(
      expect.arrayContaining(['--fix', '--json', '--cwd', '--help']),
    );
    expect((await offered(['doctor', '--f'])).values).toEqual(['--fix']);
    expect((await offered(['doctor', '--fix', '--f'])).values).toEqual([]);
    expect((await offered(['sprite', 'start', 'x', '--env', 'A=1', '--en'])).values).toContain('--env');
    expect((await offered(['--j'])).values).toEqual(['--json']);
  });

  test('the values of flags and arguments, in both spellings', async () => {
    expect((await offered(['completion', ''])).values).toEqual(['bash', 'zsh', 'fish']);
    expect((await offered(['init', '--agent', 'c'])).values).toEqual(['claude_sdk', 'codex_sdk']);
    expect((await offered(['init', '--agent=co'])).values).toEqual(['--agent=codex_sdk']);
    expect((await offered(['init', '--agent', '=', 'co'])).values).toEqual(['--agent=codex_sdk']);
    expect((await offered(['--engine', ''])).values).toEqual(['local', 'cloud']);
  });

  test('paths where a path is wanted, and behind "--"', async () => {
    expect(await offered(['--cwd', ''])).toEqual({ files: true, values: [] });
    expect(await offered(['--config', 'x'])).toEqual({ files: true, values: [] });
    expect(await offered(['sprite', 'exec', 'demo', '--', 'l'])).toEqual({ files: true, values: [] });
    expect((await wreckit(['__complete', '--', '--cwd', ''])).stdout).toBe(':files\n');
  });

  test('the names of the sprites there are', async () => {
    using dir = tempDir();
    const options = await withSprites(dir, 'demo', 'debug', 'other');
    expect((await offered(['sprite', 'info', 'de'], options)).values.toSorted()).toEqual(['debug', 'demo']);
    expect((await offered(['sprite', 'kill', 'demo', 'o'], options)).values).toEqual(['other']);
    expect((await offered(['sprite', 'info', 'demo', ''], options)).values).toEqual([]);
    // From elsewhere the sprites are those of the project that the line names.
    const { WRECKIT_WISP_PATH: wispPath, ...env } = options.env;
    const file = dir.join('project/.wreckitrc');
    mkdirSync(dir.join('project'));
    writeFileSync(file, JSON.stringify({ agent: { kind: 'sprite', wispPath } }));
    for (const named of [['--cwd', dir.join('project')], [`--config=${file}`]]) {
      expect((await offered([...named, 'sprite', 'info', 'ot'], { env, cwd: '/' })).values).toEqual([
        'other',
      ]);
    }
  });

  test('nothing, quietly, where the sprites cannot be listed', async () => {
    using dir = tempDir();
    const options = { cwd: dir.path, env: { HOME: dir.path, WRECKIT_WISP_PATH: '/nowhere' } };
    const { stdout, stderr, exitCode } = await wreckit(['__complete', '--', 'sprite', 'info', ''], options);
    expect([stdout, stderr, exitCode]).toEqual(['', '', 0]);
  });
});

/** A directory with `wreckit` in it, and the environment that finds it. */
function shellEnv(dir: TempDir, env: Record<string, string> = {}): Record<string, string> {
  mkdirSync(dir.join('bin'));
  symlinkSync(`${packageRoot()}/bin/wreckit`, dir.join('bin/wreckit'));
  const PATH = `${dir.join('bin')}:${process.env.PATH}`;
  return { HOME: dir.path, TMPDIR: dir.path, TERM: 'dumb', ...env, PATH };
}

describe('wreckit completion bash', () => {
  // The line is completed by readline, then printed: Ctrl+A, "echo", Ctrl+E, Enter.
  test('completes lines typed into an interactive bash', async () => {
    using dir = tempDir();
    const { env } = await withSprites(dir, 'demo');
    const cases: [typed: string, completed: string][] = [
      ['wreckit comp', 'wreckit completion'],
      ['wreckit completion f', 'wreckit completion fish'],
      ['wreckit sprite info de', 'wreckit sprite info demo'],
      ['wreckit doctor --fi', 'wreckit doctor --fix'],
      ['wreckit init --agent=cod', 'wreckit init --agent=codex_sdk'],
      ['wreckit --engine lo', 'wreckit --engine local'],
      [`wreckit --cwd ${dir.path}/bi`, `wreckit --cwd ${dir.path}/bin/`],
      ['wreckit nonsense de', 'wreckit nonsense de'],
    ];
    const typed = cases.map(([line]) => `${line}\t\x01echo "<<" \x05 ">>"\r`).join('');
    const input = `source <(wreckit completion bash)\r${typed}exit\r`;
    const shell = 'bash --norc --noprofile -i';
    const { stdout } = await run(['script', '-qec', shell, '/dev/null'], {
      cwd: dir.path,
      env: shellEnv(dir, env),
      stdin: input,
      timeoutMs: 30_000,
    });
    const printed = [
      ...Buffer.from(stdout)
        .toString('utf8')
        .matchAll(/^<< (.*?) +>>\r$/gm),
    ].map(([, line]) => line);
    expect(printed).toEqual(cases.map(([, completed]) => completed));
  }, 40_000);
});

test('wreckit completion refuses a shell it does not know', async () => {
  const { exitCode, document } = await wreckitJson(['completion', 'tcsh']);
  expect(exitCode).toBe(2);
  expect(document.error.message).toContain('"tcsh"');
});
