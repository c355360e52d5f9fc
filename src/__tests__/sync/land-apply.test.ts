import { describe, expect, test } from 'bun:test';
import fs from 'node:fs';
import path from 'node:path';
import type { ChangeSet } from '../../sync/change-set.ts';
import { type LandResult, landChanges } from '../../sync/land.ts';
import { recoverLandings, undoLanding } from '../../sync/land-apply.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { syncStatus } from '../../sync/sync-status.ts';
import { commitAll, git, initGit, type Place, place, read, treeOf, write } from './project.ts';

const TEXT = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join('');

async function pushed(files: Record<string, string>, isGit = false): Promise<Place> {
  const at = place();
  if (isGit) initGit(at.root);
  write(at.root, files);
  if (isGit) commitAll(at.root);
  await pushProject({ root: at.root, port: at.port });
  return at;
}

function pull(at: Place): Promise<ChangeSet> {
  return pullChanges({ root: at.root, port: at.port });
}

async function apply(at: Place, onStep?: (step: string) => void): Promise<NonNullable<LandResult['apply']>> {
  const landed = await landChanges({ changeSet: await pull(at), mode: 'apply', onStep });
  if (landed.apply === null) throw new Error('not applied');
  return landed.apply;
}

describe('`landChanges()` in the working tree', () => {
  test('both sides changed apart: text is merged, and both edits are there', async () => {
    for (const isGit of [false, true]) {
      using at = await pushed({ a: TEXT }, isGit);
      write(at.root, { a: TEXT.replace('line 1\n', 'ours\n') });
      write(at.inside, { a: TEXT.replace('line 18\n', 'theirs\n') });
      const { merged, conflicts } = await apply(at);
      expect([merged, conflicts]).toEqual([['a'], []]);
      expect(read(at.root, 'a')).toBe(TEXT.replace('line 1\n', 'ours\n').replace('line 18\n', 'theirs\n'));
    }
  });

  test('merges with what was not committed when it was pushed', async () => {
    using at = await pushed({ a: TEXT }, true);
    write(at.root, { a: TEXT.replace('line 5\n', 'uncommitted\n') });
    await pushProject({ root: at.root, port: at.port });
    write(at.root, { a: TEXT.replace('line 5\n', 'uncommitted\n').replace('line 1\n', 'ours\n') });
    write(at.inside, { a: TEXT.replace('line 5\n', 'uncommitted\n').replace('line 18\n', 'theirs\n') });
    expect((await apply(at)).merged).toEqual(['a']);
    expect(read(at.root, 'a')).toContain('uncommitted');
  });

  test('overlapping edits, binary files, added on both sides: ours stays to the byte, theirs goes beside', async () => {
    using at = await pushed({ text: TEXT, 'd/bin': 'a\0b' });
    write(at.root, { text: TEXT.replace('line 3', 'ours'), 'd/bin': 'a\0ours', added: 'ours' });
    write(at.inside, { text: TEXT.replace('line 3', 'theirs'), 'd/bin': 'a\0theirs', added: 'theirs' });
    const here = ['text', 'd/bin', 'added'].map((name) => read(at.root, name));
    const { conflicts } = await apply(at);
    expect(conflicts).toEqual([
      { path: 'added', reason: 'added_both', beside: 'added.sprite' },
      { path: 'd/bin', reason: 'changed_both', beside: 'd/bin.sprite' },
      { path: 'text', reason: 'changed_both', beside: 'text.sprite' },
    ]);
    expect(['text', 'd/bin', 'added'].map((name) => read(at.root, name))).toEqual(here);
    expect(read(at.root, 'text.sprite')).toBe(TEXT.replace('line 3', 'theirs'));
    expect(read(at.root, 'd/bin.sprite')).toBe('a\0theirs');
  });

  test('deleted on one side and edited on the other: the edit stays', async () => {
    using at = await pushed({ a: '1', b: '2', both: '3' });
    write(at.root, { a: 'ours' });
    for (const name of ['b', 'both']) fs.rmSync(path.join(at.root, name));
    for (const name of ['a', 'both']) fs.rmSync(path.join(at.inside, name));
    write(at.inside, { b: 'theirs' });
    const { conflicts } = await apply(at);
    expect(conflicts).toEqual([
      { path: 'a', reason: 'deleted_there', beside: null },
      { path: 'b', reason: 'deleted_here', beside: 'b.sprite' },
    ]);
    expect([...treeOf(at.root).keys()]).toEqual(['a', 'b.sprite']);
  });

  test('a name beside that is taken is left alone', async () => {
    using at = await pushed({ a: '1' });
    write(at.root, { a: 'ours', 'a.sprite': 'mine' });
    write(at.inside, { a: 'theirs' });
    expect((await apply(at)).conflicts[0]?.beside).toBe('a.sprite.2');
    expect(read(at.root, 'a.sprite')).toBe('mine');
  });

  test('directories that became empty go, those with something of ours in them stay', async () => {
    using at = await pushed({ 'x/y/a': '1', 'z/b': '2' });
    write(at.root, { 'z/mine': 'm' });
    for (const name of ['x', 'z']) fs.rmSync(path.join(at.inside, name), { recursive: true });
    await apply(at);
    expect(fs.existsSync(path.join(at.root, 'x'))).toBe(false);
    expect([...treeOf(at.root).keys()]).toEqual(['z/mine']);
  });

  test('modes: the executable bit is carried, other bits of ours stay, new files follow the umask', async () => {
    using at = await pushed({ private: '1', tool: '2' });
    fs.chmodSync(path.join(at.root, 'private'), 0o640);
    fs.chmodSync(path.join(at.inside, 'tool'), 0o755);
    write(at.inside, { private: 'changed', open: 'x' });
    fs.chmodSync(path.join(at.inside, 'open'), 0o777);
    const umask = process.umask(0o027);
    try {
      await apply(at);
    } finally {
      process.umask(umask);
    }
    const modes = ['private', 'tool', 'open'].map((name) =>
      (fs.statSync(path.join(at.root, name)).mode & 0o7777).toString(8),
    );
    expect(modes).toEqual(['640', '755', '750']);
  });

  test('is idempotent, and the next push sends nothing of it back', async () => {
    using at = await pushed({ a: '1', b: '2' }, true);
    write(at.inside, { a: '11', c: '3' });
    fs.rmSync(path.join(at.inside, 'b'));
    expect((await apply(at)).applied).toEqual(['b', 'a', 'c']);
    expect(await apply(at)).toMatchObject({ landingId: null, applied: [], sameCount: 0 });
    const push = await pushProject({ root: at.root, port: at.port });
    expect([push.sentCount, push.removedCount]).toEqual([0, 0]);
    write(at.root, { a: '111' });
    expect((await pushProject({ root: at.root, port: at.port })).sentCount).toBe(1);
  });

  test('a change set can be landed when the sprite is gone, and more than once', async () => {
    using at = await pushed({ a: '1' }, true);
    write(at.inside, { a: '2', b: '3' });
    const changeSet = await pull(at);
    fs.rmSync(at.inside, { recursive: true });
    await landChanges({ changeSet, mode: 'branch', branch: 'wreckit/x' });
    await landChanges({ changeSet, mode: 'apply' });
    expect((await landChanges({ changeSet, mode: 'apply' })).apply?.sameCount).toBe(2);
    expect(git(at.root, 'show', 'wreckit/x:b')).toBe('3');
  });
});

describe('edits at the last moment', () => {
  const EDITS: [what: string, edit: (root: string) => void, kept: string | null][] = [
    [
      'replaced',
      (root) => {
        write(root, { tmp: 'last' });
        fs.renameSync(path.join(root, 'tmp'), path.join(root, 'a'));
      },
      'last',
    ],
    ['written in place', (root) => write(root, { a: 'last' }), 'last'],
    ['same size', (root) => write(root, { a: 'X' }), 'X'],
    ['deleted', (root) => fs.rmSync(path.join(root, 'a')), null],
    ['made a program', (root) => fs.chmodSync(path.join(root, 'a'), 0o755), '1'],
    [
      'made a directory',
      (root) => {
        fs.rmSync(path.join(root, 'a'));
        write(root, { 'a/x': 'last' });
      },
      null,
    ],
    [
      'made a link',
      (root) => {
        fs.rmSync(path.join(root, 'a'));
        fs.symlinkSync('b', path.join(root, 'a'));
      },
      '2',
    ],
  ];
  for (const step of ['journal begun', 'keep a', 'change a']) {
    for (const [what, edit, kept] of EDITS) {
      test(`${what} at "${step}": what is here stays, the sprite's goes beside`, async () => {
        using at = await pushed({ a: '1', b: '2' });
        write(at.inside, { a: 'theirs' });
        const { conflicts } = await apply(at, (name) => name === step && edit(at.root));
        expect(conflicts).toEqual([{ path: 'a', reason: 'edited_meanwhile', beside: 'a.sprite' }]);
        expect(read(at.root, 'a.sprite')).toBe('theirs');
        if (kept !== null) expect(read(at.root, 'a')).toBe(kept);
      });
    }
  }

  test('a file that appears where a new one is to go stays', async () => {
    using at = await pushed({ b: '2' });
    write(at.inside, { a: 'theirs' });
    const { conflicts } = await apply(at, (step) => step === 'change a' && write(at.root, { a: 'last' }));
    expect(conflicts).toEqual([{ path: 'a', reason: 'edited_meanwhile', beside: 'a.sprite' }]);
    expect(read(at.root, 'a')).toBe('last');
  });

  test('a file edited where one is to be deleted stays', async () => {
    using at = await pushed({ a: '1', b: '2' });
    fs.rmSync(path.join(at.inside, 'a'));
    const { conflicts } = await apply(at, (step) => step === 'change a' && write(at.root, { a: 'last' }));
    expect(conflicts).toEqual([{ path: 'a', reason: 'edited_meanwhile', beside: null }]);
    expect(read(at.root, 'a')).toBe('last');
  });
});

describe('`undoLanding()`', () => {
  test('puts back content, modes, times, links, deletions, directories and side-by-side files', async () => {
    using at = await pushed({ a: '1', b: TEXT, 'd/e/f': '3', tool: '4', conflict: '5', merged: TEXT }, true);
    fs.chmodSync(path.join(at.root, 'd'), 0o750);
    fs.symlinkSync('a', path.join(at.root, 'l'));
    await pushProject({ root: at.root, port: at.port });
    write(at.root, { conflict: 'ours', merged: TEXT.replace('line 1\n', 'ours\n') });
    write(at.inside, {
      a: '11',
      'new/x': 'n',
      conflict: 'theirs',
      merged: TEXT.replace('line 18\n', 'theirs\n'),
    });
    for (const name of ['b', 'd']) fs.rmSync(path.join(at.inside, name), { recursive: true });
    fs.rmSync(path.join(at.inside, 'l'));
    fs.symlinkSync('tool', path.join(at.inside, 'l'));
    fs.chmodSync(path.join(at.inside, 'tool'), 0o755);
    const facts = (): unknown => {
      const names = ['a', 'b', 'd', 'd/e', 'd/e/f', 'tool', 'conflict', 'merged'];
      return [
        treeOf(at.root),
        names.map((name) => {
          const { mode, mtimeMs } = fs.statSync(path.join(at.root, name));
          return [name, mode, name.startsWith('d') ? 0 : mtimeMs];
        }),
      ];
    };
    const before = facts();
    const { conflicts } = await apply(at);
    expect(conflicts).toHaveLength(1);
    const { restored } = await undoLanding({ root: at.root });
    expect(restored).toHaveLength(8);
    expect(facts()).toEqual(before);
    expect(fs.existsSync(path.join(at.root, 'new'))).toBe(false);
    // And the changes are offered again.
    expect((await pull(at)).changes).toHaveLength(8);
  });

  test('refuses, and changes nothing, where a file was edited since', async () => {
    using at = await pushed({ a: '1', b: '2' });
    write(at.inside, { a: '11', b: '22' });
    await apply(at);
    write(at.root, { b: 'edited' });
    const before = treeOf(at.root);
    await expect(undoLanding({ root: at.root })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { paths: ['b'] },
    });
    expect(treeOf(at.root)).toEqual(before);
  });

  test('takes landings back one after the other, newest first, each once', async () => {
    using at = await pushed({ a: '1' });
    for (const text of ['2', '3']) {
      write(at.inside, { a: text });
      await apply(at);
    }
    expect(syncStatus(at.root).landings.map(({ canUndo }) => canUndo)).toEqual([true, true]);
    const seen: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      await undoLanding({ root: at.root });
      seen.push(read(at.root, 'a'));
    }
    expect(seen).toEqual(['2', '1']);
    await expect(undoLanding({ root: at.root })).rejects.toThrow('no landing is left to undo');
  });
});

describe('a disk that refuses', () => {
  const FILES = { a: '1', b: '2', 'd/c': '3', tool: '4' };
  async function refusing(step: string | RegExp, code: string): Promise<void> {
    using at = await pushed(FILES);
    write(at.inside, { a: '11', b: '22', 'new/x': 'n' });
    fs.rmSync(path.join(at.inside, 'd'), { recursive: true });
    fs.chmodSync(path.join(at.inside, 'tool'), 0o755);
    const before = treeOf(at.root);
    const changeSet = await pull(at);
    let hits = 0;
    const onStep = (name: string): void => {
      if (!(typeof step === 'string' ? name === step : step.test(name))) return;
      hits += 1;
      throw Object.assign(new Error(code), { code });
    };
    await expect(landChanges({ changeSet, mode: 'apply', onStep })).rejects.toMatchObject({
      code: 'SPRITE_SYNC_FAILED',
    });
    expect(hits).toBe(1);
    expect(treeOf(at.root)).toEqual(before);
    expect(fs.existsSync(path.join(at.root, 'd'))).toBe(true);
    expect(fs.existsSync(path.join(at.root, 'new'))).toBe(false);
    expect(await recoverLandings(at.root)).toEqual([]);
    // With room it lands.
    await landChanges({ changeSet, mode: 'apply' });
    expect(treeOf(at.root)).toEqual(treeOf(at.inside));
  }
  for (const step of [
    'change d/c',
    'remove d',
    'make new',
    'change a',
    'keep b',
    'change b',
    'change new/x',
    'change tool',
    'journal done',
  ]) {
    test(`at "${step}": every file is as before, and the changes can be landed again`, () =>
      refusing(step, 'ENOSPC'));
  }
});
