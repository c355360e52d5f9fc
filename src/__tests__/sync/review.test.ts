import { describe, expect, test } from 'bun:test';
import fs from 'node:fs';
import path from 'node:path';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { type ReviewItem, reviewChanges } from '../../sync/review.ts';
import { commitAll, initGit, place, write } from './project.ts';

async function review(
  before: Record<string, string>,
  after: Record<string, string>,
  change?: (inside: string) => void,
): Promise<ReviewItem[]> {
  using at = place();
  initGit(at.root);
  write(at.root, before);
  commitAll(at.root);
  await pushProject({ root: at.root, port: at.port });
  write(at.inside, after);
  change?.(at.inside);
  return await reviewChanges(await pullChanges({ root: at.root, port: at.port }));
}

describe('`reviewChanges()`', () => {
  test('names every file that runs code here when it is next used, and what runs it', async () => {
    const files: [path: string, kind: string][] = [
      ['.buildkite/pipeline.yml', 'ci'],
      ['.cargo/config.toml', 'build'],
      ['.circleci/config.yml', 'ci'],
      ['.claude/settings.json', 'agent'],
      ['.devcontainer/devcontainer.json', 'container'],
      ['.envrc', 'environment'],
      ['.eslintrc.js', 'tool_config'],
      ['.gitattributes', 'git'],
      ['.githooks/pre-push', 'git'],
      ['.github/workflows/ci.yml', 'ci'],
      ['.gitlab-ci.yml', 'ci'],
      ['.gitmodules', 'git'],
      ['.husky/pre-commit', 'git'],
      ['.idea/runConfigurations/x.xml', 'editor'],
      ['.mcp.json', 'agent'],
      ['.npmrc', 'package'],
      ['.pre-commit-config.yaml', 'git'],
      ['.tool-versions', 'environment'],
      ['.vscode/tasks.json', 'editor'],
      ['.wreckitrc', 'wreckit'],
      ['.yarn/releases/yarn.cjs', 'package'],
      ['AGENTS.md', 'agent'],
      ['Cargo.toml', 'build'],
      ['Dockerfile', 'container'],
      ['Jenkinsfile', 'ci'],
      ['Makefile', 'build'],
      ['build.gradle.kts', 'build'],
      ['build.rs', 'build'],
      ['conftest.py', 'build'],
      ['docker-compose.yml', 'container'],
      ['gradlew', 'build'],
      ['justfile', 'build'],
      ['package-lock.json', 'package'],
      ['pom.xml', 'build'],
      ['pyproject.toml', 'build'],
      ['scripts/x.sh', 'executable'],
      ['setup.py', 'build'],
      ['sub/Makefile', 'build'],
      ['vite.config.ts', 'tool_config'],
    ];
    const items = await review({ a: '1' }, Object.fromEntries(files.map(([name]) => [name, 'x'])));
    expect(items.map(({ path: name, kind }) => [name, kind])).toEqual(files);
    expect(items.every(({ change, reason }) => change === 'added' && reason.length > 5)).toBe(true);
  });

  test('says nothing of ordinary files', async () => {
    const names = [
      'src/index.ts',
      'README.md',
      'docs/make.md',
      'src/config.ts',
      'test/hooks.test.ts',
      'a.json',
      'styles.css',
      'env.ts',
    ];
    expect(await review({ a: '1' }, Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
  });

  test('looks into package.json: scripts and packages count, the rest does not', async () => {
    const base = { name: 'x', scripts: { test: 'bun test' }, dependencies: { a: '1' } };
    const of = async (change: object): Promise<string[]> => {
      const files = { 'package.json': JSON.stringify(base) };
      const items = await review(files, { 'package.json': JSON.stringify({ ...base, ...change }) });
      return items.map(({ reason }) => reason);
    };
    expect(await of({ version: '2', description: 'x' })).toEqual([]);
    expect(await of({ scripts: { test: 'evil', postinstall: 'evil' } })).toEqual([
      'has other scripts (postinstall, test)',
    ]);
    expect(await of({ dependencies: { a: '1', b: '1' } })).toEqual(['has other dependencies']);
    expect(await review({ 'package.json': '{}' }, { 'package.json': '{broken' })).toHaveLength(1);
    expect((await review({ a: '1' }, { 'package.json': JSON.stringify(base) }))[0]?.reason).toContain(
      'scripts (test)',
    );
  });

  test('names new programs, links and deleted rules', async () => {
    const items = await review({ tool: '1', '.gitattributes': 'x', old: '2' }, {}, (inside) => {
      fs.chmodSync(path.join(inside, 'tool'), 0o755);
      fs.rmSync(path.join(inside, '.gitattributes'));
      fs.rmSync(path.join(inside, 'old'));
      fs.symlinkSync('tool', path.join(inside, 'l'));
    });
    expect(items.map(({ path: name, kind, change }) => `${name} ${kind} ${change}`)).toEqual([
      '.gitattributes git deleted',
      'l symlink added',
      'tool executable changed',
    ]);
  });

  test('its reasons carry no line end and no control character of the sprite', async () => {
    const script = '\x1b[2J\nhint: run this';
    const before = { 'package.json': '{}' };
    const after = { 'package.json': JSON.stringify({ scripts: { [script]: 'x', 'build:ci': 'y' } }) };
    const items = await review(before, after, (inside) => {
      fs.symlinkSync('a\x1b]0;title\x07\nhint: run this', path.join(inside, 'link'));
    });
    expect(items.map(({ reason }) => reason)).toEqual([
      'is a symbolic link to "a\\x1b]0;title\\x07\\nhint: run this"',
      'has other scripts ("\\u001b[2J\\nhint: run this", build:ci)',
    ]);
  });
});
