import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type ContextSources, type ReadContext, readContext } from '../../agent/read-context.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';

async function* bytes(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part as string);
}

async function read(dir: TempDir, paths: string[], more: Partial<ContextSources> = {}): Promise<ReadContext> {
  return await readContext({ paths, cwd: dir.path, root: dir.path, stdin: bytes(), ...more });
}

test('readContext() takes files and standard input under the names they were given', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('build.log'), 'línea\n');
  writeFileSync(dir.join('old.txt'), Uint8Array.of(0x61, 0xe9, 0x0a));
  const { documents, leftOut } = await read(dir, ['build.log', '-', 'old.txt', 'build.log'], {
    stdin: bytes('diff --git ', Uint8Array.of(0xc3), Uint8Array.of(0xa9)),
  });
  expect(documents).toEqual([
    { name: 'build.log', text: 'línea\n' },
    { name: 'stdin', text: 'diff --git é' },
    { name: 'old.txt', text: 'a\uFFFD\n' },
  ]);
  expect(leftOut).toEqual([]);
});

test('readContext() takes of a directory what a push of it would send, and tells of the rest', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('src/deep'), { recursive: true });
  mkdirSync(dir.join('src/node_modules/x'), { recursive: true });
  writeFileSync(dir.join('src/.gitignore'), 'made\n');
  writeFileSync(dir.join('src/made'), 'made by a tool');
  writeFileSync(dir.join('src/.env'), 'TOKEN=abc');
  writeFileSync(dir.join('src/picture.png'), Uint8Array.of(0x89, 0, 1, 2));
  writeFileSync(dir.join('src/deep/a.ts'), 'a');
  writeFileSync(dir.join('src/node_modules/x/index.js'), 'x');
  symlinkSync('.env', dir.join('src/link'));
  spawnSync('git', ['init', '-q', dir.join('src')]);
  const { documents, leftOut } = await read(dir, ['src'], { exclude: ['node_modules'] });
  expect(documents.map(({ name }) => name)).toEqual(['src/.gitignore', 'src/deep/a.ts']);
  expect(Object.fromEntries(leftOut.map(({ name, reason }) => [name, reason]))).toEqual({
    'src/.env': 'is an environment file',
    'src/link': 'is a symbolic link',
    'src/node_modules/x/index.js': 'is excluded by a pattern',
    'src/picture.png': 'is not text',
  });
});

test.each([
  ['.env', 'TOKEN=x', 'env'],
  ['id_rsa', 'x', 'ssh-key'],
  ['.wreckit/config.local.json', '{}', 'wreckit-local'],
])('readContext() never takes %s, by whatever name it is reached', async (name, content, rule) => {
  using dir = tempDir();
  mkdirSync(dir.join('.wreckit'));
  writeFileSync(dir.join(name), content);
  symlinkSync(dir.join(name), dir.join('harmless.txt'));
  for (const given of [name, dir.join(name), `./${name}`, 'harmless.txt']) {
    const error = await wreckitErrorOf(() => read(dir, [given]));
    expect([error.code, error.details.rule]).toEqual(['POLICY_DENIED', rule]);
  }
});

test('readContext() refuses what is not there, is not text, or is too much', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('binary'), Uint8Array.of(0, 1, 2));
  const cases = [
    [['nope.log'], '"nope.log" can\'t be read: ENOENT'],
    [['binary'], '"binary" is not text'],
    [['/dev/zero'], 'more than 32 MiB'],
  ] as const;
  for (const [paths, message] of cases) {
    const error = await wreckitErrorOf(() => read(dir, [...paths]));
    expect([error.code, error.message.includes(message)]).toEqual(['USAGE', true]);
  }
  const half = 'x'.repeat(20 * 1024 * 1024);
  writeFileSync(dir.join('half'), half);
  const both = await wreckitErrorOf(() => read(dir, ['half', '-'], { stdin: bytes(half) }));
  expect(both.message).toContain('more than 32 MiB');
});
