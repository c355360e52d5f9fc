import { afterAll, beforeEach, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WreckitError } from '../../errors.ts';
import { describeTree, file, tarOf } from '../archive/helpers.ts';
import { eventually } from '../helpers/eventually.ts';
import { type TempDir, tempDir } from '../helpers/temp-dir.ts';
import { filesOnThisMachine, handOver, readAll, streamOf } from './files-helpers.ts';

const files = filesOnThisMachine();
let dir: TempDir = tempDir();

beforeEach(() => {
  dir[Symbol.dispose]();
  dir = tempDir();
  fs.chmodSync(tmpdir(), 0o755);
  handOver(dir.path);
});
afterAll(() => dir[Symbol.dispose]());

function at(...parts: string[]): string {
  return path.join(dir.path, ...parts);
}

/** A file that belongs to the ordinary user. */
async function put(name: string, text: string): Promise<void> {
  await files.write('s', at(name), streamOf(text));
}

async function errnoOfCall(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof WreckitError && thrown.code === 'PATH_INVALID') return thrown.details.errno;
    throw thrown;
  }
  return 'no error';
}

test('write() makes parents and the mode asked for; read() gives the bytes back', async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 0x80, 39, 34]);
  const odd = at('new dir', "it's; $(rm -rf /) `x` \n *", '-n');
  expect(await files.write('s', odd, streamOf(bytes, 'tail'), { mode: '0750' })).toEqual({ sizeBytes: 11 });
  expect(await readAll(files.read('s', odd))).toEqual(Buffer.concat([bytes, Buffer.from('tail')]));
  expect((fs.statSync(odd).mode & 0o7777).toString(8)).toBe('750');
  expect(await files.write('s', odd, streamOf())).toEqual({ sizeBytes: 0 });
  expect((fs.statSync(odd).mode & 0o7777).toString(8)).toBe('644');
  expect(fs.readdirSync(path.dirname(odd))).toEqual(['-n']);
});

test('write() goes through a link to its target and keeps the link', async () => {
  await put('target\n', 'old');
  fs.symlinkSync('target\n', at('link'));
  fs.symlinkSync('not there yet', at('dangling'));
  await files.write('s', at('link'), streamOf('new'));
  await files.write('s', at('dangling'), streamOf('made'));
  expect(describeTree(dir.path)).toEqual([
    'dangling -> not there yet',
    'link -> target\n',
    'not there yet 0644 "made"',
    'target\n 0644 "new"',
  ]);
});

test('write() leaves the old content and nothing else when its source fails', async () => {
  await put('file', 'old');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(100_000, 'x');
    const sizes = () => fs.readdirSync(dir.path).map((name) => fs.statSync(at(name)).size);
    await eventually(() => sizes().includes(100_000));
    throw new Error('source broke');
  }
  await expect(files.write('s', at('file'), failing())).rejects.toThrow('source broke');
  expect(describeTree(dir.path)).toEqual(['file 0644 "old"']);
});

test('write() ends at an abort and leaves nothing half made', async () => {
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first');
    controller.abort();
    await new Promise(() => undefined);
  }
  const written = files.write('s', at('file'), endless(), { signal: controller.signal });
  await expect(written).rejects.toThrow();
  expect(fs.readdirSync(dir.path)).toEqual([]);
});

test('the calls name the errno of what is in the way', async () => {
  await put('file', 'text');
  await put('full/child', 'text');
  fs.mkdirSync(at('locked'), { mode: 0o700 });
  fs.symlinkSync('loop', at('loop'));
  const long = 'n'.repeat(300);
  const write = (name: string) => files.write('s', at(name), streamOf('x'));
  const cases: readonly [string, () => Promise<unknown>][] = [
    ['ENOENT', () => readAll(files.read('s', at('missing')))],
    ['EISDIR', () => readAll(files.read('s', at('full')))],
    ['ENOTDIR', () => readAll(files.read('s', at('file/x')))],
    ['ELOOP', () => readAll(files.read('s', at('loop')))],
    ['ENAMETOOLONG', () => readAll(files.read('s', at(long)))],
    ['EISDIR', () => write('full')],
    ['ENOTDIR', () => write('file/x')],
    ['ENOTDIR', () => write('file/x/y')],
    ['ENAMETOOLONG', () => write(`${long}/x`)],
    ['ENOENT', () => files.list('s', at('missing'))],
    ['ENOTDIR', () => files.list('s', at('file/x'))],
    ['ENOENT', () => files.remove('s', at('missing'))],
    ['ENOENT', () => files.remove('s', at('missing'), { recursive: true })],
    ['ENOTEMPTY', () => files.remove('s', at('full'))],
    ['EBUSY', () => files.remove('s', '//', { recursive: true })],
    ['EEXIST', () => files.makeDir('s', at('file'))],
    ['ENOENT', () => files.move('s', at('missing'), at('x'))],
    ['ENOTDIR', () => files.move('s', at('full'), at('file'))],
    ['EISDIR', () => files.move('s', at('file'), at('full'))],
    ['EINVAL', () => files.move('s', at('full'), at('full/x'))],
    ['ENOENT', () => files.chmod('s', at('missing'), '0644')],
    ['ENOENT', () => readAll(files.pack('s', at('missing')))],
    ['ENOENT', () => readAll(files.read('s', ''))],
    ['EINVAL', () => readAll(files.read('s', 'a\0b'))],
    ['ENAMETOOLONG', () => readAll(files.read('s', '/a'.repeat(2100)))],
  ];
  const seen: unknown[] = [];
  for (const [, call] of cases) seen.push(await errnoOfCall(call()));
  expect(seen).toEqual(cases.map(([errno]) => errno));
  if (process.getuid?.() !== 0) fs.chmodSync(at('locked'), 0);
  const denied = [
    () => files.list('s', at('locked')),
    () => files.list('s', at('locked/x')),
    () => write('locked/x'),
    () => readAll(files.read('s', at('locked/x'))),
    () => files.makeDir('s', at('locked/x')),
    () => files.move('s', at('file'), at('locked/x')),
  ];
  for (const call of denied) expect(await errnoOfCall(call())).toBe('EACCES');
  fs.chmodSync(at('locked'), 0o700);
});

test('list() shows odd names, types, sizes, modes and times', async () => {
  await put('-rf', '12345');
  await put('new\nline', '');
  fs.mkdirSync(at('sub'), { mode: 0o750 });
  fs.symlinkSync('sub', at('link'));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${dir.path}/`), Buffer.from([0x62, 0xff])]), 'raw');
  fs.utimesSync(at('-rf'), 1_700_000_000, 1_700_000_000.5);
  spawnSync('mkfifo', [at('fifo')]);
  const entries = await files.list('s', `${dir.path}/`);
  const short = entries.map(({ name, type, size_bytes, mode }) => `${name} ${type} ${size_bytes} ${mode}`);
  expect(short.filter((line) => !/directory|symlink/.test(line))).toEqual([
    '-rf file 5 0644',
    'b\ufffd file 3 0644',
    'fifo other 0 0644',
    'new\nline file 0 0644',
  ]);
  expect(entries.map(({ name, type }) => `${name} ${type}`)).toContain('sub directory');
  expect(entries.map(({ name, type }) => `${name} ${type}`)).toContain('link symlink');
  expect(entries[0]?.modified_at).toBe('2023-11-14T22:13:20.500Z');
  expect(entries.find(({ name }) => name === 'b\ufffd')?.name_base64).toBe('Yv8=');
  expect(entries.find(({ name }) => name === 'sub')?.path).toBe(at('sub'));
});

test('list() of what is no directory is that one entry; of a link to a directory its contents', async () => {
  await put('sub/file', 'text');
  fs.symlinkSync('sub', at('to-dir'));
  fs.symlinkSync('sub/file', at('to-file'));
  fs.symlinkSync('nowhere', at('broken'));
  const shown = async (name: string) =>
    (await files.list('s', at(name))).map((entry) => `${entry.type} ${entry.name} ${entry.path}`);
  expect(await shown('sub/file')).toEqual([`file file ${at('sub/file')}`]);
  expect(await shown('to-dir')).toEqual([`file file ${at('to-dir/file')}`]);
  expect(await shown('to-file')).toEqual([`symlink to-file ${at('to-file')}`]);
  expect(await shown('broken')).toEqual([`symlink broken ${at('broken')}`]);
  expect((await files.list('s', '/')).map((entry) => entry.path)).toContain('/usr');
  fs.mkdirSync(at('empty'));
  expect(await shown('empty')).toEqual([]);
});

test('remove() takes a link and not what it leads to', async () => {
  await put('kept/file', 'text');
  for (const recursive of [false, true]) {
    fs.symlinkSync('kept', at('link'));
    await files.remove('s', `${at('link')}/`, { recursive });
    expect(describeTree(dir.path)).toEqual(['kept/ 0755', 'kept/file 0644 "text"']);
  }
  await files.remove('s', at('kept'), { recursive: true });
  expect(fs.readdirSync(dir.path)).toEqual([]);
});

test('move() renames, replaces, and never moves into', async () => {
  await put('a', 'from a');
  await put('b', 'from b');
  await files.makeDir('s', at('dir/deep'));
  await files.makeDir('s', at('empty'));
  fs.symlinkSync('dir', at('link'));
  await files.move('s', at('a'), at('b'));
  await files.move('s', at('b'), at('b'));
  await files.move('s', at('dir'), at('empty'));
  await files.move('s', at('b'), at('link'));
  expect(describeTree(dir.path)).toEqual(['empty/ 0755', 'empty/deep/ 0755', 'link 0644 "from a"']);
});

test('chmod() sets octal modes and refuses other words', async () => {
  await put('file', '');
  await files.chmod('s', at('file'), '0700');
  expect((fs.statSync(at('file')).mode & 0o7777).toString(8)).toBe('700');
  for (const mode of ['', '8', '0999', 'u+x', '-R', '00000']) {
    await expect(files.chmod('s', at('file'), mode)).rejects.toMatchObject({ code: 'USAGE' });
  }
});

test('unpack() and pack() carry a tree; a stream that ends early is an error', async () => {
  const tar = await tarOf(file('a/run', 'x', { mode: 0o775 }), file('-b', 'yy', { mode: 0o600 }));
  await files.unpack('s', at('new/place'), streamOf(tar));
  expect(describeTree(at('new/place'))).toEqual(['-b 0600 "yy"', 'a/ 0755', 'a/run 0775 "x"']);
  await files.unpack('s', at('again'), files.pack('s', at('new/place')));
  expect(describeTree(at('again'))).toEqual(describeTree(at('new/place')));
  const failed = { code: 'SPRITE_SYNC_FAILED' };
  for (const cutAt of [0, 512, 1024, 1500, tar.length - 1024]) {
    await expect(files.unpack('s', at('cut'), streamOf(tar.subarray(0, cutAt)))).rejects.toMatchObject(
      failed,
    );
  }
});

test('pack() of one file holds what a link leads to, under the name given', async () => {
  await put('-real', 'text');
  fs.symlinkSync('-real', at('-alias'));
  await files.unpack('s', at('out'), files.pack('s', at('-alias')));
  expect(describeTree(at('out'))).toEqual(['-alias 0644 "text"']);
});

test('pack() fails when something in it could not be read', async () => {
  await put('dir/secret', 'text');
  fs.chmodSync(at('dir/secret'), 0);
  expect(await errnoOfCall(readAll(files.pack('s', at('dir'))))).toBe('EACCES');
});

test('read() makes its program wait, and end when the reader leaves', async () => {
  let chunks = 0;
  for await (const chunk of files.read('s', '/dev/zero')) {
    expect(chunk.length).toBeGreaterThan(0);
    chunks += 1;
    if (chunks === 3) break;
  }
  expect(chunks).toBe(3);
});
