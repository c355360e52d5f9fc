import { describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../helpers/wreckit.ts';

const IGNORED = '.wreckit/config.local.json\n.wreckit/runs/\n';

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8' });
}

describe('wreckit init', () => {
  test('writes a configuration that loads, and what git is to ignore', async () => {
    using dir = tempDir();
    git(dir.path, 'init', '-q', '-b', 'trunk');
    const { exitCode, document } = await wreckitJson(['init', '--agent', 'codex_sdk'], { cwd: dir.path });
    expect(exitCode).toBe(0);
    expect(document.data).toMatchObject({
      project_root: dir.path,
      dry_run: false,
      files: [
        { path: dir.join('.wreckit/config.json'), action: 'created' },
        { path: dir.join('.gitignore'), action: 'created' },
      ],
    });
    const { config, notices } = await loadConfig({ cwd: dir.path, env: { HOME: dir.join('home') } });
    expect(config).toMatchObject({
      base_branch: 'trunk',
      agent: { kind: 'sprite', agent: { kind: 'codex_sdk' } },
    });
    expect(notices).toEqual([]);
    expect(readFileSync(dir.join('.gitignore'), 'utf8')).toBe(IGNORED);
    writeFileSync(dir.join('.wreckit/config.local.json'), '{}');
    expect(git(dir.path, 'status', '--porcelain', '-uall')).not.toContain('config.local.json');
    expect(readdirSync(dir.join('.wreckit')).sort()).toEqual(['config.json', 'config.local.json']);
  });

  test('takes the base branch of the remote', async () => {
    using dir = tempDir();
    const origin = dir.join('origin');
    mkdirSync(origin);
    git(origin, 'init', '-q', '-b', 'develop');
    git(origin, 'commit', '-q', '--allow-empty', '-m', 'first');
    git(dir.path, 'clone', '-q', origin, 'clone');
    git(dir.join('clone'), 'checkout', '-q', '-b', 'feature');
    await wreckit(['init'], { cwd: dir.join('clone') });
    const { config } = await loadConfig({ cwd: dir.join('clone'), env: { HOME: dir.path } });
    expect(config.base_branch).toBe('develop');
  });

  test('writes at the root of the repository from a directory below', async () => {
    using dir = tempDir();
    git(dir.path, 'init', '-q');
    mkdirSync(dir.join('a/b'), { recursive: true });
    const { stdout } = await wreckit(['init'], { cwd: dir.join('a/b') });
    expect(stdout).toStartWith('created: ../../.wreckit/config.json\ncreated: ../../.gitignore\n');
    expect(existsSync(dir.join('.wreckit/config.json'))).toBe(true);
  });

  test('never overwrites without --force', async () => {
    using dir = tempDir();
    mkdirSync(dir.join('.wreckit'));
    writeFileSync(dir.join('.wreckit/config.json'), '{"base_branch":"mine"}');
    const refused = await wreckitJson(['init'], { cwd: dir.path });
    expect(refused.exitCode).toBe(5);
    expect(refused.document.error).toMatchObject({
      code: 'CONFLICT',
      details: { path: dir.join('.wreckit/config.json') },
    });
    expect(readFileSync(dir.join('.wreckit/config.json'), 'utf8')).toBe('{"base_branch":"mine"}');
    expect(existsSync(dir.join('.gitignore'))).toBe(false);
    const forced = await wreckitJson(['init', '--force'], { cwd: dir.path });
    expect(forced.document.data.files[0].action).toBe('replaced');
    expect(readFileSync(dir.join('.wreckit/config.json'), 'utf8')).toContain('"base_branch": "main"');
  });

  test('replaces nothing that is no ordinary file, not even with --force', async () => {
    using dir = tempDir();
    mkdirSync(dir.join('.wreckit'));
    writeFileSync(dir.join('elsewhere'), 'keep');
    symlinkSync(dir.join('elsewhere'), dir.join('.wreckit/config.json'));
    expect((await wreckit(['init', '--force'], { cwd: dir.path })).exitCode).toBe(5);
    expect(readFileSync(dir.join('elsewhere'), 'utf8')).toBe('keep');
    using other = tempDir();
    symlinkSync(dir.join('elsewhere'), other.join('.gitignore'));
    expect((await wreckit(['init'], { cwd: other.path })).exitCode).toBe(5);
    expect(readFileSync(dir.join('elsewhere'), 'utf8')).toBe('keep');
    expect(existsSync(other.join('.wreckit'))).toBe(false);
  });

  test('adds only the ignore lines that are missing, in the file’s own line ends', async () => {
    const cases: [before: string, after: string][] = [
      ['node_modules', `node_modules\n${IGNORED}`],
      ['a\r\nb\r\n', 'a\r\nb\r\n.wreckit/config.local.json\r\n.wreckit/runs/\r\n'],
      ['/.wreckit/config.local.json\n.wreckit/runs\n', '/.wreckit/config.local.json\n.wreckit/runs\n'],
      ['.wreckit/runs/\n', '.wreckit/runs/\n.wreckit/config.local.json\n'],
    ];
    for (const [before, after] of cases) {
      using dir = tempDir();
      writeFileSync(dir.join('.gitignore'), before);
      await wreckit(['init'], { cwd: dir.path });
      expect(readFileSync(dir.join('.gitignore'), 'utf8')).toBe(after);
    }
  });

  test('writes nothing under --dry-run and says what it would', async () => {
    using dir = tempDir();
    const { stdout, exitCode } = await wreckit(['init', '--dry-run'], { cwd: dir.path });
    expect(exitCode).toBe(0);
    expect(stdout).toBe('would be created: .wreckit/config.json\nwould be created: .gitignore\n');
    expect(readdirSync(dir.path)).toEqual([]);
  });

  test('refuses an agent there is not', async () => {
    const { exitCode, document } = await wreckitJson(['init', '--agent', 'sprite'], { cwd: '/' });
    expect(exitCode).toBe(2);
    expect(document.error.code).toBe('USAGE');
    expect(existsSync(join('/', '.wreckit'))).toBe(false);
  });
});
