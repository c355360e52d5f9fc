import { expect, test } from 'bun:test';
import fs from 'node:fs';
import path from 'node:path';
import { extractSafely } from '../../archive/safe-extract.ts';
import type { TarInput } from '../../archive/tar-writer.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import {
  chunked,
  describeTree,
  directory,
  entry,
  file,
  hardlink,
  symlink,
  tarOf,
  withTypeFlag,
} from './helpers.ts';

const root = directory('./');
/** Lands outside when a member `inside` refers to it by any way. */
const OUT = '../canary';

const POISON: readonly [string, readonly TarInput[], string][] = [
  ['an absolute name', [root, file('/tmp/wisp-poison', 'x')], 'absolute name'],
  ['a leading ..', [root, file('../canary', 'x')], '".." in its name'],
  ['a .. in the middle', [root, directory('a/'), file('a/../../canary', 'x')], '".." in its name'],
  ['a trailing ..', [root, directory('a/..')], '".." in its name'],
  ['a harmless-looking ..', [root, directory('a/'), file('a/../b', 'x')], '".." in its name'],
  ['no name', [root, file('', 'x')], 'has no name'],
  ['a file as the root', [file('./', 'x')], 'is the root but no directory'],
  ['a symlink as the root', [symlink('.', '/')], 'is the root but no directory'],
  ['a symlink to an absolute path', [root, symlink('a', '/etc/passwd')], 'absolute path'],
  ['a symlink that goes up', [root, symlink('a', OUT)], 'leaves the directory'],
  ['a deeper one', [root, directory('d/'), symlink('d/a', '../../canary')], 'leaves the directory'],
  ['a symlink with .. after a name', [root, directory('d/'), symlink('a', 'd/../b')], '".." after a name'],
  ['a symlink to nothing', [root, symlink('a', '')], 'without a target'],
  ['a file through a symlink', [root, symlink('a', 'b'), file('a/c', 'x')], 'which is not a directory'],
  [
    'a file through a symlink to a directory',
    [root, directory('b/'), symlink('a', 'b'), file('a/c', 'x')],
    'which is not a directory',
  ],
  ['a directory over a symlink', [root, symlink('a', 'b'), directory('a/')], 'is there twice'],
  ['a file over a symlink', [root, symlink('a', 'b'), file('a', 'x')], 'is there twice'],
  ['a symlink over a file', [root, file('a', 'x'), symlink('a', 'b')], 'is there twice'],
  ['a file twice', [root, file('a', 'x'), file('a', 'y')], 'is there twice'],
  ['a file below a file', [root, file('a', 'x'), file('a/b', 'y')], 'which is not a directory'],
  ['a hard link to an absolute path', [root, hardlink('a', '/etc/passwd')], 'not in the archive'],
  ['a hard link that goes up', [root, hardlink('a', OUT)], 'not in the archive'],
  ['a hard link to no member', [root, hardlink('a', 'nowhere')], 'not an earlier file'],
  ['a hard link to a symlink', [root, symlink('s', 'b'), hardlink('a', 's')], 'not an earlier file'],
  [
    'a hard link through a symlink',
    [root, directory('d/'), file('d/f', 'x'), symlink('s', 'd'), hardlink('a', 's/f')],
    'not an earlier file',
  ],
  ['a hard link to a directory', [root, directory('d/'), hardlink('a', 'd')], 'not an earlier file'],
  ['a name part no file system takes', [root, file('n'.repeat(256), 'x')], 'a name part of 256 bytes'],
  ['a name no file system takes', [root, file('n/'.repeat(2500), 'x')], 'a name of 5000 bytes'],
  ['a NUL in a pax name', [root, file(`${'n'.repeat(120)}\0${OUT}`, 'x')], 'NUL in its name'],
];

for (const [what, members, reason] of POISON) {
  test(`extractSafely() refuses ${what} and changes nothing`, async () => {
    using dir = tempDir();
    const target = path.join(dir.path, 'target');
    fs.mkdirSync(target);
    fs.writeFileSync(path.join(target, 'kept'), 'kept');
    fs.writeFileSync(path.join(dir.path, 'canary'), 'alive');
    const before = describeTree(dir.path);
    const tar = await tarOf(file('first', 'was fine'), ...members);
    await expect(extractSafely(chunked(tar), target)).rejects.toMatchObject({
      code: 'PATH_INVALID',
      message: expect.stringContaining(reason),
    });
    expect(describeTree(dir.path)).toEqual(before);
    expect(fs.existsSync('/tmp/wisp-poison')).toBe(false);
  });
}

for (const [typeFlag, name] of [
  ['3', 'character device'],
  ['4', 'block device'],
  ['6', 'FIFO'],
  ['S', 'sparse file'],
  ['V', '"V"'],
] as const) {
  test(`extractSafely() refuses a member of type ${name}`, async () => {
    using dir = tempDir();
    const tar = withTypeFlag(await tarOf(entry('evil')), typeFlag);
    await expect(extractSafely(chunked(tar), path.join(dir.path, 'target'))).rejects.toMatchObject({
      code: 'PATH_INVALID',
      message: `archive member: "evil" is of type ${name}`,
      details: { member: 'evil' },
    });
    expect(describeTree(dir.path)).toEqual([]);
  });
}

test('extractSafely() fills a new directory with files, links, modes and times', async () => {
  using dir = tempDir();
  const target = path.join(dir.path, 'target');
  const tar = await tarOf(
    root,
    directory('shut/', 0o555),
    file('shut/run', '#!', { mode: 0o755 }),
    file('suid', 'x', { mode: 0o6755 }),
    symlink('shut/up', '../suid'),
    symlink('loop', 'loop'),
    hardlink('same', 'shut/run'),
    file(Buffer.from([0x62, 0xff]), 'raw'),
    file('implied/parent/f', 'y'),
  );
  const report = await extractSafely(chunked(tar), target);
  expect(report).toEqual({ memberCount: 9, totalBytes: 7, path: target });
  expect(describeTree(target)).toEqual([
    'b\xff 0644 "raw"',
    'implied/ 0755',
    'implied/parent/ 0755',
    'implied/parent/f 0644 "y"',
    'loop -> loop',
    'same 0755 "#!"',
    'shut/ 0555',
    'shut/run 0755 "#!"',
    'shut/up -> ../suid',
    'suid 0755 "x"',
  ]);
  const names = fs
    .readdirSync(Buffer.from(target), { encoding: 'buffer' })
    .map((name) => name.toString('hex'));
  expect(names).toContain('62ff');
  expect(fs.statSync(path.join(target, 'shut/run')).ino).toBe(fs.statSync(path.join(target, 'same')).ino);
  expect(fs.statSync(path.join(target, 'suid')).mtimeMs).toBe(1_700_000_000_000);
  expect(fs.readdirSync(dir.path)).toEqual(['target']);
});

test('extractSafely() merges into a directory: replaces files, keeps the rest', async () => {
  using dir = tempDir();
  const target = dir.path;
  fs.mkdirSync(path.join(target, 'd'));
  fs.writeFileSync(path.join(target, 'd', 'old'), 'old');
  fs.writeFileSync(path.join(target, 'd', 'both'), 'old');
  fs.symlinkSync('/etc/passwd', path.join(target, 'link'));
  const tar = await tarOf(root, directory('d/'), file('d/both', 'new'), file('link', 'no longer a link'));
  await extractSafely(chunked(tar), target);
  expect(describeTree(target)).toEqual([
    'd/ 0755',
    'd/both 0644 "new"',
    'd/old 0644 "old"',
    'link 0644 "no longer a link"',
  ]);
});

test('extractSafely() refuses what stands in the way before it moves anything', async () => {
  const cases: readonly [string, (target: string) => void, TarInput[]][] = [
    ['a symbolic link', (at) => fs.symlinkSync('..', path.join(at, 'z')), [directory('z/'), file('z/x', '')]],
    ['a file', (at) => fs.writeFileSync(path.join(at, 'z'), ''), [directory('z/')]],
    ['a directory', (at) => fs.mkdirSync(path.join(at, 'z')), [file('z', '')]],
  ];
  for (const [what, prepare, members] of cases) {
    using dir = tempDir();
    const target = path.join(dir.path, 'target');
    fs.mkdirSync(target);
    prepare(target);
    const before = describeTree(dir.path);
    const tar = await tarOf(root, file('a', 'first'), ...members);
    await expect(extractSafely(chunked(tar), target)).rejects.toMatchObject({
      code: 'PATH_INVALID',
      message: expect.stringContaining(`/z" is ${what} here`),
    });
    expect(describeTree(dir.path)).toEqual(before);
  }
});

test('extractSafely() puts a single file where cp would', async () => {
  using dir = tempDir();
  const tar = await tarOf(file('name', 'text'));
  const as = path.join(dir.path, 'other-name');
  expect((await extractSafely(chunked(tar), as)).path).toBe(as);
  fs.mkdirSync(path.join(dir.path, 'sub'));
  const into = path.join(dir.path, 'sub');
  expect((await extractSafely(chunked(tar), into)).path).toBe(path.join(into, 'name'));
  expect(describeTree(dir.path)).toEqual(['other-name 0644 "text"', 'sub/ 0755', 'sub/name 0644 "text"']);
});

test('extractSafely() stops at its limits and at an abort, and leaves nothing', async () => {
  using dir = tempDir();
  const target = path.join(dir.path, 'target');
  const tar = await tarOf(root, file('a', 'xxxx'), file('b', 'yyyy'));
  const failed = { code: 'SPRITE_SYNC_FAILED' };
  await expect(extractSafely(chunked(tar), target, { maxMembers: 2 })).rejects.toMatchObject(failed);
  await expect(extractSafely(chunked(tar), target, { maxTotalBytes: 7 })).rejects.toMatchObject(failed);
  await expect(extractSafely(chunked(tar.subarray(0, 2000)), target)).rejects.toMatchObject(failed);
  const refuse = (_: unknown, at: Buffer) => (at.length > 0 ? 'is not wanted' : undefined);
  await expect(extractSafely(chunked(tar), target, { refuse })).rejects.toMatchObject({
    code: 'PATH_INVALID',
    message: 'archive member: "a" is not wanted',
  });
  const signal = AbortSignal.abort();
  await expect(extractSafely(chunked(tar), target, { signal })).rejects.toThrow();
  expect(fs.readdirSync(dir.path)).toEqual([]);
});
