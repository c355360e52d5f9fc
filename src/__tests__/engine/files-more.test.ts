import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { FileChange } from '../../engine/engine.ts';
import { changesBetween, type SeenEntry } from '../../engine/local/files/watch.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { filesOnThisMachine, handOver, ORDINARY_ID, readAll } from './files-helpers.ts';

const files = filesOnThisMachine();

function place() {
  const dir = tempDir();
  handOver(dir.path);
  return dir;
}

function make(path: string, content: string): string {
  fs.writeFileSync(path, content);
  fs.chownSync(path, ORDINARY_ID, ORDINARY_ID);
  return path;
}

async function errnoOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return (error as { details?: { errno?: string } } | null)?.details?.errno ?? error;
}

describe('read()', () => {
  test.each([
    [{ start: 2 }, 'cdefghij'],
    [{ start: 2, end: 5 }, 'cde'],
    [{ end: 3 }, 'abc'],
    [{ start: 8, end: 100 }, 'ij'],
    [{ start: 100 }, ''],
    [{ start: 5, end: 5 }, ''],
  ])('gives the bytes of a range: %p', async (range, expected) => {
    using dir = place();
    const path = make(dir.join('ten'), 'abcdefghij');
    expect((await readAll(files.read('x', path, range))).toString()).toBe(expected);
  });

  test('of a range says what is wrong with the path', async () => {
    using dir = place();
    expect(await errnoOf(readAll(files.read('x', dir.join('nothing'), { start: 1 })))).toBe('ENOENT');
    expect(await errnoOf(readAll(files.read('x', dir.path, { start: 1 })))).toBe('EISDIR');
  });
});

describe('list()', () => {
  test('lists a tree, names without slashes, a directory before what it holds', async () => {
    using dir = place();
    fs.mkdirSync(dir.join('sub/deep'), { recursive: true });
    make(dir.join('sub/deep/a.txt'), '1');
    make(dir.join('b.txt'), '22');
    const entries = await files.list('x', dir.path, { recursive: true });
    expect(entries.map(({ name, path }) => [name, path])).toEqual([
      ['b.txt', dir.join('b.txt')],
      ['sub', dir.join('sub')],
      ['deep', dir.join('sub/deep')],
      ['a.txt', dir.join('sub/deep/a.txt')],
    ]);
  });

  test('a time that no date can tell does not hide the other files', async () => {
    // On a file system that keeps times of any size, unlike a disk.
    const dir = fs.mkdtempSync('/dev/shm/wisp-times-');
    try {
      for (const [name, seconds] of [
        ['far', '99999999999999'],
        ['long-ago', '-99999999999999'],
      ] as const) {
        expect(spawnSync('touch', ['-d', `@${seconds}`, `${dir}/${name}`]).status).toBe(0);
      }
      fs.chmodSync(dir, 0o755);
      const entries = await files.list('here', dir);
      expect(entries.map(({ name, modified_at }) => [name, modified_at])).toEqual([
        ['far', '9999-12-31T23:59:59.999Z'],
        ['long-ago', '0000-01-01T00:00:00.000Z'],
      ]);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });

  test('takes a pattern for names', async () => {
    using dir = place();
    fs.mkdirSync(dir.join('sub'));
    make(dir.join('sub/a.txt'), '1');
    make(dir.join('b.txt'), '22');
    make(dir.join('.hidden.txt'), '');
    make(dir.join('c.md'), '');
    const names = async (options: object) =>
      (await files.list('x', dir.path, options)).map(({ name }) => name);
    expect(await names({ pattern: '*.txt' })).toEqual(['.hidden.txt', 'b.txt']);
    expect(await names({ pattern: '*.txt', recursive: true })).toEqual(['.hidden.txt', 'b.txt', 'a.txt']);
    expect(await names({ pattern: '-delete' })).toEqual([]);
    expect(fs.existsSync(dir.join('b.txt'))).toBe(true);
  });
});

describe('copy()', () => {
  test('copies a file under the new name, parents made, with its mode', async () => {
    using dir = place();
    fs.chmodSync(make(dir.join('a'), 'content'), 0o751);
    const copied = await files.copy('x', dir.join('a'), dir.join('new/b'));
    expect(copied).toEqual({ entries: 1, sizeBytes: 7 });
    expect(fs.readFileSync(dir.join('new/b'), 'utf8')).toBe('content');
    expect(fs.statSync(dir.join('new/b')).mode & 0o777).toBe(0o751);
  });

  test('copies a tree into a name, merging with what is there; links stay links', async () => {
    using dir = place();
    for (const path of ['tree', 'tree/sub', 'to']) {
      fs.mkdirSync(dir.join(path));
      fs.chownSync(dir.join(path), ORDINARY_ID, ORDINARY_ID);
    }
    make(dir.join('tree/sub/a'), '123');
    make(dir.join('to/old'), 'old');
    fs.symlinkSync('/etc/hostname', dir.join('tree/link'));
    expect(await errnoOf(files.copy('x', dir.join('tree'), dir.join('to')))).toBe('EISDIR');
    const copied = await files.copy('x', dir.join('tree'), dir.join('to'), { recursive: true });
    expect(copied).toEqual({ entries: 4, sizeBytes: 3 });
    expect(fs.readdirSync(dir.join('to')).sort()).toEqual(['link', 'old', 'sub']);
    expect(fs.readlinkSync(dir.join('to/link'))).toBe('/etc/hostname');
  });

  test('keeps times when asked to', async () => {
    using dir = place();
    fs.utimesSync(make(dir.join('a'), ''), 1000, 1000);
    await files.copy('x', dir.join('a'), dir.join('b'), { preserve: true });
    expect(fs.statSync(dir.join('b')).mtimeMs).toBe(1_000_000);
  });

  test.each([
    ['nothing', 'to', {}, 'ENOENT'],
    ['tree', 'tree/inside', { recursive: true }, 'EINVAL'],
    ['tree', 'file', { recursive: true }, 'ENOTDIR'],
    ['file', 'tree', {}, 'EISDIR'],
    ['file', 'file', {}, 'EINVAL'],
    ['file', 'file/below', {}, 'ENOTDIR'],
  ])('refuses %s → %s', async (from, to, options, errno) => {
    using dir = place();
    fs.mkdirSync(dir.join('tree'));
    make(dir.join('file'), 'kept');
    expect(await errnoOf(files.copy('x', dir.join(from), dir.join(to), options))).toBe(errno);
    expect(fs.readFileSync(dir.join('file'), 'utf8')).toBe('kept');
  });
});

describe('chmod() and chown()', () => {
  test('reach a whole tree when asked to', async () => {
    using dir = place();
    fs.mkdirSync(dir.join('tree'));
    fs.chownSync(dir.join('tree'), ORDINARY_ID, ORDINARY_ID);
    make(dir.join('tree/a'), '');
    await files.chmod('x', dir.join('tree'), '0750', { recursive: true });
    expect(fs.statSync(dir.join('tree/a')).mode & 0o777).toBe(0o750);
    await files.chown('x', dir.join('tree'), { uid: ORDINARY_ID, gid: ORDINARY_ID }, { recursive: true });
    expect(await errnoOf(files.chown('x', dir.join('tree'), { uid: 0 }))).toBe('EPERM');
  });

  test('take no option for an owner', async () => {
    using dir = place();
    for (const uid of ['--reference=/etc', 'a:b', '', ' 1', '-R', 'x\n']) {
      await expect(files.chown('x', dir.path, { uid })).rejects.toMatchObject({ code: 'USAGE' });
    }
    await expect(files.chown('x', dir.path, {})).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('watch()', () => {
  test('tells what was created, written, renamed, changed in mode and removed', async () => {
    using dir = place();
    make(dir.join('old'), 'a');
    make(dir.join('moved'), 'b');
    make(dir.join('gone'), 'c');
    make(dir.join('mode'), 'd');
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      const changes = files.watch('x', [dir.path], { recursive: true, signal: abort.signal });
      for await (const { path, type } of changes) seen.push(`${type} ${path.slice(dir.path.length + 1)}`);
    })();
    const until = (line: string) => eventually(() => seen.includes(line), { what: line });
    await eventually(() => {
      fs.writeFileSync(dir.join(`probe-${Date.now()}`), '');
      return seen.length > 0;
    });
    fs.appendFileSync(dir.join('old'), 'more');
    await until('write old');
    fs.renameSync(dir.join('moved'), dir.join('new-name'));
    await until('rename moved');
    await until('create new-name');
    fs.rmSync(dir.join('gone'));
    await until('remove gone');
    fs.chmodSync(dir.join('mode'), 0o600);
    await until('chmod mode');
    fs.mkdirSync(dir.join('sub'));
    fs.writeFileSync(dir.join('sub/file with\nnewline'), '');
    await until('create sub/file with\nnewline');
    abort.abort();
    await watching.catch((error: unknown) => expect(error).toMatchObject({ name: 'AbortError' }));
    expect(seen).not.toContain('write sub');
  });

  test('sees a path that is not there yet, and stays out of subdirectories unless asked', async () => {
    using dir = place();
    fs.mkdirSync(dir.join('sub'));
    const abort = new AbortController();
    const seen: FileChange[] = [];
    const paths = [dir.join('later'), dir.join('sub')];
    const watching = (async () => {
      for await (const change of files.watch('x', paths, { signal: abort.signal })) seen.push(change);
    })();
    await eventually(() => {
      fs.mkdirSync(dir.join(`sub/${Date.now()}`));
      return seen.length > 0;
    });
    const inside = seen[0]?.path ?? '';
    fs.writeFileSync(`${inside}/below`, '');
    fs.writeFileSync(dir.join('later'), '12345');
    await eventually(() => seen.some(({ path }) => path === dir.join('later')));
    expect(seen.find(({ path }) => path === dir.join('later'))).toMatchObject({
      type: 'create',
      sizeBytes: 5,
      isDir: false,
    });
    expect(seen.some(({ path }) => path.endsWith('/below'))).toBe(false);
    abort.abort();
    await watching.catch(() => undefined);
  });
});

describe('changesBetween()', () => {
  const entry = (over: Partial<SeenEntry> = {}): SeenEntry => ({
    inode: '1',
    isDir: false,
    mode: '644',
    sizeBytes: 1,
    modified: '1.0',
    changed: '1.0',
    ...over,
  });
  const changes = (before: Record<string, SeenEntry>, now: Record<string, SeenEntry>) =>
    [...changesBetween(new Map(Object.entries(before)), new Map(Object.entries(now)), 0)].map(
      ({ type, path }) => `${type} ${path}`,
    );

  test('calls a file put in the place of another created', () => {
    expect(changes({ '/a': entry() }, { '/a': entry({ inode: '2' }) })).toEqual(['create /a']);
  });

  test('calls a change of owner a change of facts', () => {
    expect(changes({ '/a': entry() }, { '/a': entry({ changed: '2.0' }) })).toEqual(['chmod /a']);
  });

  test('has nothing to say of a directory whose entries changed', () => {
    const dir = entry({ isDir: true });
    expect(changes({ '/d': dir }, { '/d': { ...dir, modified: '2.0', changed: '2.0' } })).toEqual([]);
  });
});
