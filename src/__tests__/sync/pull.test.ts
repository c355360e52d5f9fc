import { describe, expect, test } from 'bun:test';
import fs from 'node:fs';
import path from 'node:path';
import { isComplete, loadChangeSet } from '../../sync/change-set.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { commitAll, git, initGit, type Place, place, write } from './project.ts';

function pull(
  at: Place,
  more: Partial<Parameters<typeof pullChanges>[0]> = {},
): ReturnType<typeof pullChanges> {
  return pullChanges({ root: at.root, port: at.port, ...more });
}

async function pushed(files: Record<string, string>, options: { git?: boolean } = {}): Promise<Place> {
  const at = place();
  if (options.git === true) initGit(at.root);
  write(at.root, files);
  if (options.git === true) commitAll(at.root);
  await pushProject({ root: at.root, port: at.port });
  return at;
}

describe('`pullChanges()`', () => {
  test('finds what was written, deleted, made a program, renamed and linked; touches nothing here', async () => {
    using at = await pushed({ a: '1', b: '2', c: '3', 'd/e': '4' });
    write(at.inside, { a: '11', new: 'n' });
    fs.rmSync(path.join(at.inside, 'b'));
    fs.chmodSync(path.join(at.inside, 'c'), 0o755);
    fs.renameSync(path.join(at.inside, 'd/e'), path.join(at.inside, 'd/f'));
    fs.symlinkSync('a', path.join(at.inside, 'l'));
    const { changes, rejected } = await pull(at);
    const kinds = changes.map(({ path: name, before, after }) => `${name} ${before?.kind}>${after?.kind}`);
    expect(kinds).toEqual([
      'a file>file',
      'b file>undefined',
      'c file>file',
      'd/e file>undefined',
      'd/f undefined>file',
      'l undefined>symlink',
      'new undefined>file',
    ]);
    expect(rejected).toEqual([]);
    expect(fs.readFileSync(path.join(at.root, 'a'), 'utf8')).toBe('1');
  });

  test('asks the sprite for nothing but a list where nothing changed, and for the changed files alone', async () => {
    using at = await pushed({ a: '1', b: '2', c: '3' });
    const asked: string[] = [];
    const port = at.portWith({
      onExec: (argv) => asked.push(argv.find((word) => /^(sh|xargs|tar|cat)$/.test(word)) ?? ''),
    });
    await pull(at, { port });
    expect(asked).toEqual(['sh']);
    // A file that was touched and is the same is hashed there, not fetched.
    write(at.inside, { a: '1' });
    await pull(at, { port });
    expect(asked).toEqual(['sh', 'sh', 'xargs']);
    write(at.inside, { a: '2' });
    expect((await pull(at, { port })).changes.map(({ path: name }) => name)).toEqual(['a']);
    expect(asked.slice(3)).toEqual(['sh', 'xargs', 'tar']);
  });

  test('sees an edit that keeps size and times', async () => {
    using at = await pushed({ a: 'one' });
    const file = path.join(at.inside, 'a');
    const { atime, mtime } = fs.statSync(file);
    fs.writeFileSync(file, 'two');
    fs.utimesSync(file, atime, mtime);
    expect((await pull(at)).changes).toHaveLength(1);
  });

  test('leaves out what git ignores, by the rules of both sides, and what a pattern excludes', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { '.gitignore': '*.log\n', 'sub/.gitignore': '/out\n', a: '1' });
    fs.appendFileSync(path.join(at.root, '.git/info/exclude'), 'private\n');
    commitAll(at.root);
    await pushProject({ root: at.root, port: at.port, exclude: ['tmp'], include: ['keep.log'] });
    write(at.inside, {
      'x.log': '1',
      'keep.log': '2',
      'sub/out/y': '3',
      private: '4',
      'tmp/z': '5',
      'new/.gitignore': 'cache\n',
      'new/cache/big': '6',
      'new/kept': '7',
      'venv/.gitignore': '*\n',
      'venv/lib/x': '8',
      ':(glob)x': '9',
      'sub/kept': '10',
    });
    const { changes, ignoredCount } = await pull(at);
    expect(changes.map(({ path: name }) => name)).toEqual([
      ':(glob)x',
      'keep.log',
      'new/.gitignore',
      'new/kept',
      'sub/kept',
    ]);
    expect(ignoredCount).toBe(7);
  });

  test('takes rules that the sprite changed: what they name is made by tools', async () => {
    using at = await pushed({ '.gitignore': 'old\n', a: '1' }, { git: true });
    write(at.inside, { '.gitignore': 'node_modules\n', 'node_modules/x': '1', old: '2' });
    expect((await pull(at)).changes.map(({ path: name }) => name)).toEqual(['.gitignore', 'old']);
  });

  test('does not believe the git of the sprite: not its index, not its ignore rules, not that it is there', async () => {
    using at = await pushed({ a: '1', b: '2' }, { git: true });
    write(at.inside, { a: 'x', '.git/info/exclude': '*\n' });
    git(at.inside, 'update-index', '--assume-unchanged', 'a');
    git(at.inside, 'config', 'core.excludesFile', '/etc/passwd');
    expect((await pull(at)).changes.map(({ path: name }) => name)).toEqual(['a']);
    fs.rmSync(path.join(at.inside, '.git'), { recursive: true });
    expect((await pull(at)).changes.map(({ path: name }) => name)).toEqual(['a']);
  });

  test('keeps what it took: complete in one directory, with the content before', async () => {
    using at = await pushed({ committed: '1' }, { git: true });
    write(at.root, { committed: 'edited here' });
    await pushProject({ root: at.root, port: at.port });
    write(at.inside, { committed: 'edited there' });
    const changeSet = await pull(at);
    expect(loadChangeSet(changeSet.dir)).toEqual(changeSet);
    const [change] = changeSet.changes;
    const blob = (name: string | null | undefined): string =>
      fs.readFileSync(path.join(changeSet.dir, 'blobs', name ?? ''), 'utf8');
    expect([blob(change?.beforeBlob), blob(change?.afterBlob)]).toEqual(['edited here', 'edited there']);
    expect(fs.readdirSync(changeSet.dir).sort()).toEqual(['blobs', 'changes.json']);
  });

  test('refuses where nothing was pushed, the directory is gone, or another push is there', async () => {
    using none = place();
    await expect(pull(none)).rejects.toThrow('nothing was pushed');
    using at = await pushed({ a: '1' });
    write(at.inside, { '.wreckit/sync/push-id': 'other' });
    await expect(pull(at)).rejects.toMatchObject({ code: 'CONFLICT' });
    fs.rmSync(at.inside, { recursive: true });
    await expect(pull(at)).rejects.toThrow('is gone');
    expect(fs.readdirSync(path.join(at.root, '.wreckit/sync/pulls'))).toEqual([]);
  });

  test('works when the mark was cleaned away: everything is compared by content', async () => {
    using at = await pushed({ a: '1', b: '2' }, { git: true });
    git(at.inside, 'clean', '-qfdx');
    fs.rmSync(path.join(at.inside, '.wreckit'), { recursive: true, force: true });
    write(at.inside, { b: '3' });
    expect((await pull(at)).changes.map(({ path: name }) => name)).toEqual(['b']);
  });

  test('an unreadable directory is not a deletion', async () => {
    using at = await pushed({ 'shut/a': '1', b: '2' });
    // Root reads everything, so `find` is asked to answer as it would for another user.
    const bin = path.join(path.dirname(at.inside), 'bin');
    write(bin, { find: '#!/bin/sh\nprintf "u 0 0 0\\0shut\\0\\0f 644 1 9999999999.0\\0b\\0\\0"\n' });
    fs.chmodSync(path.join(bin, 'find'), 0o755);
    const { changes, rejected } = await pull(at, {
      port: at.portWith({ path: `${bin}:${process.env.PATH}` }),
    });
    expect(changes).toEqual([]);
    expect(rejected).toMatchObject([{ path: 'shut', kind: 'unreadable' }]);
  });

  test('a scan that breaks off is an error, never a list of deletions', async () => {
    using at = await pushed({ a: '1', b: '2' });
    const bin = path.join(path.dirname(at.inside), 'bin');
    write(bin, { find: '#!/bin/sh\necho "find: disk on fire" >&2\nexit 1\n' });
    fs.chmodSync(path.join(bin, 'find'), 0o755);
    const port = at.portWith({ path: `${bin}:${process.env.PATH}` });
    await expect(pull(at, { port })).rejects.toMatchObject({
      code: 'SPRITE_SYNC_FAILED',
      message: expect.stringContaining('disk on fire'),
    });
  });

  test('files that vanish while they are fetched are looked for again', async () => {
    using at = await pushed({ a: '1' });
    write(at.inside, { x: '1', y: '2' });
    let fetches = 0;
    const port = at.portWith({
      onExec: (argv) => {
        if (!argv.includes('tar')) return;
        fetches += 1;
        if (fetches === 1) fs.rmSync(path.join(at.inside, 'y'));
      },
    });
    expect((await pull(at, { port })).changes.map(({ path: name }) => name)).toEqual(['x']);
    expect(fetches).toBe(2);
  });

  test('reports names that are one where case does not count', async () => {
    using at = await pushed({ README: '1' });
    write(at.inside, { readme: '2' });
    expect((await pull(at)).caseClashes).toEqual([['readme', 'README']]);
  });

  test('keeps a file sparse, to the byte', async () => {
    using at = await pushed({ a: '1' });
    const file = path.join(at.inside, 'sparse');
    fs.writeFileSync(file, 'begin');
    fs.truncateSync(file, 8 * 1024 * 1024);
    fs.appendFileSync(file, 'end');
    const { changes, dir } = await pull(at);
    const blob = path.join(dir, 'blobs', changes[0]?.afterBlob ?? '');
    expect(fs.readFileSync(blob).equals(fs.readFileSync(file))).toBe(true);
    expect(fs.statSync(blob).blocks).toBeLessThan(4096);
  });
});

describe('limits', () => {
  test('a file above its limit stays in the sprite, and the rest comes', async () => {
    using at = await pushed({ a: '1' });
    write(at.inside, { a: '2' });
    fs.writeFileSync(path.join(at.inside, 'zeros'), '');
    fs.truncateSync(path.join(at.inside, 'zeros'), 10 * 1024 ** 3);
    const changeSet = await pull(at);
    expect(changeSet.changes.map(({ path: name }) => name)).toEqual(['a']);
    expect(changeSet.rejected).toMatchObject([
      { path: 'zeros', kind: 'too_large', reason: expect.stringContaining('10 GiB') },
    ]);
    expect(isComplete(changeSet)).toBe(false);
  });

  test('too much in all is refused before any of it is fetched, and nothing is left here', async () => {
    using at = await pushed({ a: '1' });
    for (const name of ['x', 'y', 'z']) write(at.inside, { [name]: 'x'.repeat(600) });
    const fetched: unknown[] = [];
    const port = at.portWith({ onExec: (argv) => argv.includes('tar') && fetched.push(argv) });
    await expect(pull(at, { port, limits: { maxTotalBytes: 1000 } })).rejects.toThrow('at most 1000 B');
    await expect(pull(at, { port, limits: { maxFiles: 2 } })).rejects.toThrow('3 files changed, at most 2');
    expect(fetched).toEqual([]);
    expect(fs.readdirSync(path.join(at.root, '.wreckit/sync/pulls'))).toEqual([]);
  });
});
