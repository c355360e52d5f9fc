import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { type LandOptions, type LandResult, landChanges } from '../../sync/land.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { commitAll, git, initGit, type Place, place, treeOf, write } from './project.ts';

async function land(at: Place, more: Partial<LandOptions> = {}): Promise<LandResult> {
  const changeSet = await pullChanges({ root: at.root, port: at.port });
  return await landChanges({ changeSet, mode: 'branch', branch: 'wreckit/x', ...more });
}

async function project(files: Record<string, string>): Promise<Place> {
  const at = place();
  initGit(at.root);
  write(at.root, files);
  commitAll(at.root, 'base');
  return at;
}

function push(at: Place): ReturnType<typeof pushProject> {
  return pushProject({ root: at.root, port: at.port });
}

/** Everything git knows of the state of the checkout, and the files themselves. */
function checkoutOf(at: Place): unknown {
  return [
    git(at.root, 'status', '--porcelain=v2', '--branch', '-z'),
    git(at.root, 'ls-files', '--stage', '-z'),
    fs.readFileSync(path.join(at.root, '.git/HEAD'), 'utf8'),
    treeOf(at.root),
  ];
}

describe('`landChanges()` on a branch', () => {
  test('makes one commit on the base commit with exactly what the sprite did; the checkout is untouched', async () => {
    using at = await project({ a: '1\n', b: '2\n', c: '3\n' });
    await push(at);
    write(at.inside, { a: 'changed\n', new: 'n\n' });
    fs.rmSync(path.join(at.inside, 'b'));
    const base = git(at.root, 'rev-parse', 'HEAD');
    // The user goes on working meanwhile.
    write(at.root, { c: 'edited\n', mine: 'm\n' });
    git(at.root, 'add', 'mine');
    const before = checkoutOf(at);
    const landed = await land(at, { message: 'Fix it\n\nBecause.\n' });
    expect(checkoutOf(at)).toEqual(before);
    expect(landed.branch).toMatchObject({
      branches: [{ at: '', branch: 'wreckit/x', base, snapshot: null }],
      stat: { fileCount: 3, insertions: 2, deletions: 2 },
    });
    expect(git(at.root, 'log', '--format=%s|%b|%an|%ae', '-1', 'wreckit/x')).toBe(
      'Fix it|Because.\n|Test|test@example.invalid',
    );
    expect(git(at.root, 'diff', '--name-status', base, 'wreckit/x')).toBe('M\ta\nD\tb\nA\tnew');
    expect(git(at.root, 'rev-list', '--count', `${base}..wreckit/x`)).toBe('1');
  });

  test('puts what was not committed in a commit of its own, and of that only what the changes build on', async () => {
    using at = await project({ a: '1\n', b: '2\n', gone: '3\n' });
    write(at.root, { a: 'mine\n', b: 'mine\n', untracked: 'mine\n', other: 'mine\n' });
    fs.rmSync(path.join(at.root, 'gone'));
    await push(at);
    write(at.inside, { a: 'mine\ntheirs\n', untracked: 'mine\ntheirs\n', gone: 'again\n' });
    const landed = await land(at);
    const [branch] = landed.branch?.branches ?? [];
    expect(git(at.root, 'diff', '--name-status', 'wreckit/x~1', 'wreckit/x')).toBe(
      'M\ta\nA\tgone\nM\tuntracked',
    );
    expect(git(at.root, 'diff', '--name-status', 'HEAD', 'wreckit/x~1')).toBe('M\ta\nD\tgone\nA\tuntracked');
    expect(git(at.root, 'rev-parse', 'wreckit/x~1')).toBe(branch?.snapshot ?? '');
    expect(git(at.root, 'diff', 'wreckit/x~1', 'wreckit/x')).not.toContain('+mine');
  });

  test('starts from the commit that was pushed, wherever HEAD is by now', async () => {
    using at = await project({ a: '1\n' });
    await push(at);
    const base = git(at.root, 'rev-parse', 'HEAD');
    write(at.inside, { b: 'x\n' });
    write(at.root, { a: '2\n' });
    commitAll(at.root, 'later');
    git(at.root, 'checkout', '-q', '--detach');
    await land(at);
    expect(git(at.root, 'rev-parse', 'wreckit/x~1')).toBe(base);
  });

  test('takes a free name where the branch exists, or one is in the way, and never moves a branch', async () => {
    using at = await project({ a: '1\n' });
    git(at.root, 'branch', 'wreckit/x');
    const old = git(at.root, 'rev-parse', 'wreckit/x');
    await push(at);
    write(at.inside, { a: '2\n' });
    const names: (string | undefined)[] = [];
    for (let count = 0; count < 2; count += 1) names.push((await land(at)).branch?.branches[0]?.branch);
    git(at.root, 'branch', 'taken');
    names.push((await land(at, { branch: 'taken/y' })).branch?.branches[0]?.branch);
    expect(names).toEqual(['wreckit/x-2', 'wreckit/x-3', 'taken-y']);
    expect(git(at.root, 'rev-parse', 'wreckit/x')).toBe(old);
  });

  for (const branch of ['-x', 'a..b', 'a b', 'HEAD', 'x.lock', '', 'a~1', '/x', '@{-1}']) {
    test(`refuses ${JSON.stringify(branch)} as a name`, async () => {
      using at = await project({ a: '1\n' });
      await push(at);
      write(at.inside, { a: '2\n' });
      await expect(land(at, { branch })).rejects.toMatchObject({ code: 'USAGE' });
    });
  }

  test('makes no branch where nothing changed', async () => {
    using at = await project({ a: '1\n' });
    await push(at);
    expect((await land(at)).branch?.branches).toEqual([]);
    expect(git(at.root, 'branch', '--list', 'wreckit/*')).toBe('');
  });

  test('on an unborn branch begins a history, with the state before where there is one', async () => {
    using at = place();
    initGit(at.root);
    await push(at);
    write(at.inside, { a: '1\n' });
    await land(at);
    expect(git(at.root, 'log', '--format=%s', 'wreckit/x')).toBe('Changes made in sprite demo');
    using other = place();
    initGit(other.root);
    write(other.root, { a: '1\n', b: '2\n' });
    await push(other);
    write(other.inside, { a: '2\n' });
    await land(other);
    expect(git(other.root, 'log', '--format=%p', 'wreckit/x').split('\n')).toHaveLength(2);
    expect(git(other.root, 'ls-tree', '--name-only', 'wreckit/x')).toBe('a');
    expect(git(other.root, 'status', '--porcelain')).toBe('?? a\n?? b');
  });

  test('works in the middle of a merge with a dirty index, and in a linked work tree', async () => {
    using at = await project({ a: 'base\n', b: '1\n' });
    git(at.root, 'checkout', '-qb', 'other');
    write(at.root, { a: 'theirs\n' });
    commitAll(at.root);
    git(at.root, 'checkout', '-q', 'main');
    write(at.root, { a: 'ours\n' });
    commitAll(at.root);
    expect(() => git(at.root, 'merge', 'other')).toThrow();
    await push(at);
    write(at.inside, { b: '2\n' });
    const before = checkoutOf(at);
    await land(at);
    expect(checkoutOf(at)).toEqual(before);
    expect(git(at.root, 'diff', '--name-only', 'main', 'wreckit/x')).toBe('b');
    const linked = path.join(path.dirname(at.root), 'linked');
    git(at.root, 'worktree', 'add', '-q', '-b', 'side', linked, 'main');
    const { localDirPort } = await import('./local-dir-port.ts');
    const port = localDirPort(`${at.inside}-2`);
    await pushProject({ root: linked, port });
    write(`${at.inside}-2`, { c: '3\n' });
    const changeSet = await pullChanges({ root: linked, port });
    await landChanges({ changeSet, mode: 'branch', branch: 'wreckit/linked' });
    expect(git(at.root, 'diff', '--name-only', 'main', 'wreckit/linked')).toBe('c');
    expect(git(linked, 'status', '--porcelain')).toBe('');
  });

  test('of part of a larger repository changes that part', async () => {
    using at = await project({ top: '1\n', 'packages/p/a': '2\n' });
    const root = path.join(at.root, 'packages/p');
    await pushProject({ root, port: at.port });
    write(at.inside, { a: 'changed\n', 'sub/new': 'n\n' });
    const changeSet = await pullChanges({ root, port: at.port });
    await landChanges({ changeSet, mode: 'branch', branch: 'wreckit/x' });
    expect(git(at.root, 'diff', '--name-status', 'main', 'wreckit/x')).toBe(
      'M\tpackages/p/a\nA\tpackages/p/sub/new',
    );
  });

  test('outside git becomes a patch file, and says so', async () => {
    using at = place();
    write(at.root, { a: '1\n' });
    await push(at);
    write(at.inside, { a: '2\n' });
    const landed = await land(at);
    expect([landed.mode, landed.branch, landed.warnings.length]).toEqual(['patch', null, 1]);
    expect(fs.readFileSync(landed.patch?.file ?? '', 'utf8')).toContain('+2');
  });
});

describe('what git has in another form than the working tree', () => {
  test('changes in a submodule go on a branch of the submodule, and the commit here points to it', async () => {
    using at = await project({ a: '1\n' });
    const library = path.join(path.dirname(at.root), 'library');
    fs.mkdirSync(library);
    initGit(library);
    write(library, { lib: '1\n' });
    commitAll(library);
    git(at.root, 'submodule', '--quiet', 'add', library, 'vendor/lib');
    commitAll(at.root, 'submodule');
    await push(at);
    write(at.inside, { 'vendor/lib/lib': '2\n', 'vendor/lib/new': 'n\n', a: '2\n' });
    const before = checkoutOf(at);
    const landed = await land(at);
    expect(checkoutOf(at)).toEqual(before);
    const [inner, outer] = landed.branch?.branches ?? [];
    expect([inner?.at, outer?.at]).toEqual(['vendor/lib/', '']);
    expect(git(at.root, 'rev-parse', 'wreckit/x:vendor/lib')).toBe(inner?.commit ?? '');
    expect(git(path.join(at.root, 'vendor/lib'), 'diff', '--name-status', 'HEAD', 'wreckit/x')).toBe(
      'M\tlib\nA\tnew',
    );
    expect(git(at.root, 'diff', '--name-only', 'HEAD', 'wreckit/x')).toBe('a\nvendor/lib');
  });

  test('git-lfs: pointers survive, a changed file becomes a pointer with its content laid away', async () => {
    using at = place();
    initGit(at.root);
    const pointer = (text: string): string =>
      `version https://git-lfs.github.com/spec/v1\noid sha256:${createHash('sha256').update(text).digest('hex')}\nsize ${text.length}\n`;
    write(at.root, {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'smudged.bin': pointer('real'),
      'other.bin': pointer('other'),
      'raw.bin': pointer('x'),
    });
    commitAll(at.root);
    // As git-lfs leaves a checkout: content in the working tree, pointers in git.
    write(at.root, { 'smudged.bin': 'real', 'other.bin': 'other' });
    await push(at);
    write(at.inside, { 'smudged.bin': 'changed', 'new.bin': 'new', 'raw.bin': pointer('y') });
    const landed = await land(at);
    expect(landed.branch?.branches[0]?.snapshot).toBeNull();
    const show = (name: string): string => `${git(at.root, 'show', `wreckit/x:${name}`)}\n`;
    expect(show('smudged.bin')).toBe(pointer('changed'));
    expect(show('new.bin')).toBe(pointer('new'));
    expect(show('other.bin')).toBe(pointer('other'));
    expect(show('raw.bin')).toBe(pointer('y'));
    const oid = createHash('sha256').update('changed').digest('hex');
    const stored = path.join(at.root, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    expect(fs.readFileSync(stored, 'utf8')).toBe('changed');
  });

  test('line ends: where the working tree has CRLF and git has LF, the change is in LF, too', async () => {
    using at = await project({ a: 'one\ntwo\n' });
    git(at.root, 'config', 'core.autocrlf', 'true');
    write(at.root, { a: 'one\r\ntwo\r\n' });
    expect(git(at.root, 'diff', '--stat')).toBe('');
    await push(at);
    write(at.inside, { a: 'one\r\ntwo\r\nthree\r\n' });
    const landed = await land(at);
    expect(landed.branch?.stat).toEqual({ fileCount: 1, insertions: 1, deletions: 0 });
    expect(landed.branch?.branches[0]?.snapshot).toBeNull();
  });

  test('no filter, hook or external program of the repository runs', async () => {
    using at = await project({ a: '1\n', '.gitattributes': '* filter=evil diff=evil merge=evil\n' });
    const mark = path.join(path.dirname(at.root), 'ran');
    for (const key of [
      'filter.evil.clean',
      'filter.evil.smudge',
      'filter.evil.process',
      'diff.evil.textconv',
      'diff.evil.command',
      'merge.evil.driver',
      'diff.external',
      'core.fsmonitor',
      'core.editor',
      'gpg.program',
    ]) {
      git(at.root, 'config', key, `sh -c 'touch ${mark}; cat'`);
    }
    git(at.root, 'config', 'commit.gpgSign', 'true');
    for (const hook of [
      'reference-transaction',
      'post-commit',
      'pre-commit',
      'commit-msg',
      'prepare-commit-msg',
      'post-index-change',
    ]) {
      write(at.root, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${mark}\n` });
      fs.chmodSync(path.join(at.root, '.git/hooks', hook), 0o755);
    }
    await push(at);
    write(at.inside, { a: '2\n', new: 'n\n' });
    for (const mode of ['branch', 'patch', 'apply'] as const) await land(at, { mode });
    expect(fs.existsSync(mark)).toBe(false);
    expect(git(at.root, 'branch', '--list', 'wreckit/*').trim()).toBe('wreckit/x');
  });
});

describe('`landChanges()` as a patch', () => {
  test('applies to the tree that was pushed: text, binary, modes, renames, links, odd names', async () => {
    using at = await project({ a: '1\n', moved: 'same\n'.repeat(20), 'tool.sh': 'x\n', 'n ew': 'l\n' });
    write(at.root, { a: 'mine\n', bin: 'a\0b' });
    await push(at);
    write(at.inside, { a: 'mine\ntheirs\n', bin: 'a\0c', 'dir/new': 'n\n' });
    fs.renameSync(path.join(at.inside, 'moved'), path.join(at.inside, 'renamed'));
    fs.chmodSync(path.join(at.inside, 'tool.sh'), 0o755);
    fs.symlinkSync('a', path.join(at.inside, 'l'));
    fs.writeFileSync(Buffer.from(`${at.inside}/\xff\n`, 'latin1'), 'odd\n');
    const objects = git(at.root, 'count-objects', '-v');
    const landed = await land(at, { mode: 'patch' });
    expect(git(at.root, 'count-objects', '-v')).toBe(objects);
    expect(landed.patch?.stat.fileCount).toBe(7);
    expect(fs.readFileSync(landed.patch?.file ?? '', 'latin1')).toContain('rename from moved');
    git(at.root, 'apply', landed.patch?.file ?? '');
    expect(treeOf(at.root)).toEqual(treeOf(at.inside));
  });

  test('outside git applies just so', async () => {
    using at = place();
    write(at.root, { a: '1\n', gone: 'g\n' });
    await push(at);
    write(at.inside, { a: '2\n', new: 'n\n' });
    fs.rmSync(path.join(at.inside, 'gone'));
    const file = path.join(path.dirname(at.root), 'out', 'x.patch');
    await land(at, { mode: 'patch', patchFile: file });
    git(at.root, 'apply', file);
    expect(treeOf(at.root)).toEqual(treeOf(at.inside));
  });

  test('covers submodules with paths of the project', async () => {
    using at = await project({ a: '1\n' });
    const library = path.join(path.dirname(at.root), 'library');
    fs.mkdirSync(library);
    initGit(library);
    write(library, { lib: '1\n' });
    commitAll(library);
    git(at.root, 'submodule', '--quiet', 'add', library, 'vendor/lib');
    commitAll(at.root);
    await push(at);
    write(at.inside, { 'vendor/lib/lib': '2\n', a: '2\n' });
    const landed = await land(at, { mode: 'patch' });
    expect(fs.readFileSync(landed.patch?.file ?? '', 'utf8').match(/^diff --git .*$/gm)).toEqual([
      'diff --git a/vendor/lib/lib b/vendor/lib/lib',
      'diff --git a/a b/a',
    ]);
  });
});
