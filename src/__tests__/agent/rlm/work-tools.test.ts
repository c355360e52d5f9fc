import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { Budget } from '../../../agent/rlm/budget.ts';
import { globMatcher } from '../../../agent/rlm/glob.ts';
import { buildToolRegistry, hostPlace, spritePlace, type WorkPlace } from '../../../agent/rlm-tools.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';
import { toolKit } from './tool-kit.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test looks into the answer as it likes
type Call = (name: string, args: unknown) => Promise<any>;

function callOn(place: WorkPlace): Call {
  const registry = buildToolRegistry(undefined, { place });
  return async (name, args) => await registry.get(name)?.call(args);
}

function hostCall(dir: TempDir): Call {
  return callOn(hostPlace({ root: dir.path, sourceEnv: process.env }, new Budget()));
}

test('Edit is exact and byte-safe, and says how many matches there are', async () => {
  using dir = tempDir();
  const call = hostCall(dir);
  writeFileSync(dir.join('f'), Buffer.from([0xff, 0xfe, ...Buffer.from('a a\n')]));
  expect((await call('Edit', { file_path: 'f', old_string: 'a', new_string: 'b' })).error.details).toEqual({
    matches: 2,
  });
  expect((await call('Edit', { file_path: 'f', old_string: 'zz', new_string: 'b' })).error.details).toEqual({
    matches: 0,
  });
  expect(
    await call('Edit', { file_path: 'f', old_string: 'a', new_string: "$&$'", replace_all: true }),
  ).toMatchObject({ replaced: 2 });
  expect(readFileSync(dir.join('f'))).toEqual(Buffer.from([0xff, 0xfe, ...Buffer.from("$&$' $&$'\n")]));
});

test('Read has offset and limit, and tells of binary files; Grep and Glob take patterns as data', async () => {
  using dir = tempDir();
  const call = hostCall(dir);
  mkdirSync(dir.join('src', 'deep'), { recursive: true });
  writeFileSync(dir.join('src', 'a.ts'), 'one\ntwo\nthree\n$(touch pwned)\n');
  writeFileSync(dir.join('src', 'deep', 'b.ts'), 'two\n');
  writeFileSync(dir.join('bin'), Buffer.from([1, 0, 2]));
  expect(await call('Read', { file_path: 'src/a.ts', offset: 2, limit: 1 })).toMatchObject({
    content: 'two',
    total_lines: 4,
    next_offset: 3,
  });
  expect(await call('Read', { file_path: 'bin' })).toMatchObject({ binary: true });
  expect((await call('Grep', { pattern: '^two$' })).matches).toBe('src/a.ts:2:two\nsrc/deep/b.ts:1:two');
  expect((await call('Grep', { pattern: '$(touch pwned)', fixed: true })).count).toBe(1);
  expect((await call('Grep', { pattern: '--version' })).count).toBe(0);
  expect((await call('Grep', { pattern: '(' })).error.code).toBe('USAGE');
  expect((await call('Glob', { pattern: 'src/**/*.ts' })).files).toEqual(['src/a.ts', 'src/deep/b.ts']);
  expect(existsSync(dir.join('pwned'))).toBe(false);
});

test('the tools of a project never leave it, by name or by link', async () => {
  using dir = tempDir();
  using outside = tempDir();
  writeFileSync(outside.join('secret'), 'x');
  symlinkSync(outside.path, dir.join('link'));
  symlinkSync(outside.join('new'), dir.join('dangling'));
  const call = hostCall(dir);
  for (const file_path of ['../x', outside.join('secret'), 'link/secret', 'link/new', 'dangling'])
    for (const [tool, more] of [
      ['Read', {}],
      ['Write', { content: 'x' }],
    ] as const)
      expect([file_path, (await call(tool, { file_path, ...more })).error?.code]).toEqual([
        file_path,
        'PATH_INVALID',
      ]);
  expect(existsSync(outside.join('new'))).toBe(false);
  for (const path of ['..', outside.path, 'link', 'link/secret'])
    for (const [tool, pattern] of [
      ['Glob', '**'],
      ['Grep', 'x'],
    ] as const)
      expect([path, tool, (await call(tool, { pattern, path })).error?.code]).toEqual([
        path,
        tool,
        'PATH_INVALID',
      ]);
  expect(await call('Grep', { pattern: 'x' })).toEqual({ matches: '', count: 0 });
});

test('the work tools work inside a sprite, and nothing of it is here', async () => {
  await using kit = toolKit();
  await kit.client.start('work');
  const dir = '/home/sprite/project';
  const call = callOn(spritePlace({ client: kit.client, sprite: 'work', dir }, kit.budget));
  await call('Write', { file_path: 'x/y.txt', content: 'alpha\n' });
  expect(
    (await call('Edit', { file_path: 'x/y.txt', old_string: 'alpha', new_string: 'beta' })).replaced,
  ).toBe(1);
  expect((await call('Grep', { pattern: 'beta' })).matches).toBe('x/y.txt:1:beta');
  expect((await call('Glob', { pattern: '**/*.txt' })).files).toEqual(['x/y.txt']);
  expect(await call('Bash', { command: 'pwd; exit 3' })).toMatchObject({ exit_code: 3, stdout: `${dir}\n` });
  expect(await call('Bash', { command: 'sleep 60', timeout_s: 0.5 })).toMatchObject({ timed_out: true });
}, 60_000);

test('globMatcher() takes its time in proportion, whatever the pattern and the name', () => {
  // One that goes back over what it has tried would not end before the test's deadline, nor the year's.
  for (const part of ['**a', '*a', '{a,*}', '?*', '**/a'])
    expect(globMatcher(`${part.repeat(120)}b`)('a'.repeat(255))).toBe(false);
});

test('globMatcher() refuses what is no pattern', async () => {
  for (const pattern of ['a{b', '[b-a]'])
    expect((await wreckitErrorOf(() => globMatcher(pattern))).code).toBe('USAGE');
});

test('globMatcher() knows stars, sets and alternatives', () => {
  for (const [pattern, name, fits] of [
    ['*.ts', 'a.ts', true],
    ['*.ts', 'a/b.ts', false],
    ['**/*.ts', 'b.ts', true],
    ['src/{a,b}?.js', 'src/b1.js', true],
    ['[!a].c', 'b.c', true],
    ['a+b.(c)', 'a+b.(c)', true],
    ['**', 'a/b/c', true],
    ['**/c', 'a/b/c', true],
    ['a/**/c', 'a/c', true],
    ['a/**/c', 'a/b/b/c', true],
    ['a/**/c', 'ab/c', false],
    ['*', 'a/b', false],
    ['?', '日', true],
    ['?', '👩', true],
    ['[!a]', '/', false],
    ['[a-c]x', 'bx', true],
    ['[]', '[]', true],
    ['{a,b{c,d}}e', 'bde', true],
    ['{a,b{c,d}}e', 'be', false],
    ['{,x}y', 'y', true],
    ['a}', 'a}', true],
    ['./a', 'a', true],
    ['A', 'a', false],
  ] as const)
    expect([pattern, name, globMatcher(pattern)(name)]).toEqual([pattern, name, fits]);
});
