import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { showPath } from '../../sync/byte-path.ts';
import { pushProject } from '../../sync/push.ts';
import { planPush } from '../../sync/push-plan.ts';
import { commitAll, git, initGit, type Place, place, read, treeOf, write } from './project.ts';

function push(
  at: Place,
  more: Partial<Parameters<typeof pushProject>[0]> = {},
): ReturnType<typeof pushProject> {
  return pushProject({ root: at.root, port: at.port, ...more });
}

async function planned(
  root: string,
  more: { include?: string[]; exclude?: string[]; maxFileBytes?: number } = {},
) {
  const plan = await planPush({ root, ...more });
  return {
    sent: plan.entries.map((entry) => showPath(entry.path)),
    kept: Object.fromEntries(plan.keptBack.map(({ path: name, kind }) => [showPath(name), kind])),
    warnings: plan.warnings,
  };
}

describe('`planPush()`', () => {
  test('takes what git tracks and would track, with edits and deletions, and says why secrets stay', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, {
      'a.txt': 'a',
      'gone.txt': 'x',
      '.gitignore': 'build\n*.tmp\n',
      '.env': 'KEY=1',
      id_rsa: 'k',
    });
    commitAll(at.root);
    fs.rmSync(path.join(at.root, 'gone.txt'));
    write(at.root, {
      'new.txt': 'n',
      'build/out': 'o',
      'x.tmp': 't',
      '.npmrc': '//r/:_authToken=abc',
      '.env.local': 'K=2',
    });
    const plan = await planned(at.root);
    expect(plan.sent).toEqual(['.gitignore', 'a.txt', 'new.txt']);
    expect(plan.kept).toEqual({
      '.env': 'secret',
      '.env.local': 'secret',
      '.npmrc': 'secret',
      id_rsa: 'secret',
    });
  });

  test('adds `include`, takes away `exclude`; a secret goes only when it is named outright', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, {
      '.gitignore': 'data\n.env\n',
      'data/x.db': '1',
      'data/y.db': '2',
      '.env': 'K=1',
      'docs/a.md': 'a',
      b: 'b',
    });
    expect((await planned(at.root, { include: ['data/*.db', '.env*'], exclude: ['docs'] })).sent).toEqual([
      '.gitignore',
      'b',
      'data/x.db',
      'data/y.db',
    ]);
    expect((await planned(at.root, { include: ['.env'] })).sent).toContain('.env');
    expect((await planned(at.root, { include: ['.wreckit/config.local.json'] })).sent).not.toContain(
      '.wreckit/config.local.json',
    );
  });

  test("heeds the user's own excludes file and .git/info/exclude, as git does", async () => {
    using at = place();
    initGit(at.root);
    const ignore = path.join(path.dirname(at.root), 'ignore');
    fs.writeFileSync(ignore, '*.swp\n');
    git(at.root, 'config', 'core.excludesFile', ignore);
    fs.appendFileSync(path.join(at.root, '.git/info/exclude'), 'private\n');
    write(at.root, { a: 'a', 'a.swp': 's', private: 'p' });
    expect((await planned(at.root)).sent).toEqual(['a']);
  });

  test('names secrets that stay because git ignores them, when it is asked to explain', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, {
      '.gitignore': '.env\n*.log\nnode_modules\n',
      '.env': 'K=1',
      'a.log': 'x',
      'node_modules/.env': 'K=2',
      b: 'b',
    });
    const { keptBack } = await planPush({ root: at.root, explainIgnored: true });
    expect(keptBack).toEqual([
      { path: '.env', kind: 'ignored', reason: 'is ignored by git, and is an environment file', rule: 'env' },
    ]);
    expect((await planPush({ root: at.root })).keptBack).toEqual([]);
  });

  test('follows no link: what lies behind one stays, special files stay, nested repositories stay', async () => {
    using at = place();
    initGit(at.root);
    const outside = path.join(path.dirname(at.root), 'outside');
    write(outside, { secret: 's' });
    write(at.root, { 'dir/secret': 'tracked', 'nested/x': 'x' });
    commitAll(at.root);
    fs.rmSync(path.join(at.root, 'dir'), { recursive: true });
    fs.symlinkSync(outside, path.join(at.root, 'dir'));
    fs.rmSync(path.join(at.root, 'nested'), { recursive: true });
    git(at.root, 'rm', '-rq', '--cached', 'nested');
    write(at.root, { 'nested/x': 'x' });
    initGit(path.join(at.root, 'nested'));
    commitAll(path.join(at.root, 'nested'));
    spawnSync('mkfifo', [path.join(at.root, 'pipe')]);
    write(at.root, { sized: 'x'.repeat(100) });
    const plan = await planned(at.root, { maxFileBytes: 50 });
    expect(plan.sent).toEqual(['dir']);
    expect(plan.kept).toEqual({
      'dir/secret': 'behind_link',
      nested: 'nested_repository',
      sized: 'too_large',
    });
    expect((await planned(at.root, { include: ['/nested'] })).sent).toEqual(['dir', 'nested/x', 'sized']);
  });

  test('outside git takes everything but what .gitignore names', async () => {
    using at = place();
    write(at.root, {
      '.gitignore': 'node_modules\n',
      'node_modules/x/y': '1',
      a: 'a',
      '.env': 'K=1',
      'd/e': 'e',
    });
    const plan = await planned(at.root);
    expect(plan.sent).toEqual(['.gitignore', 'a', 'd/e']);
    expect(plan.kept).toEqual({ '.env': 'secret' });
  });

  test('refuses a bare repository and a directory that is not there', async () => {
    using at = place();
    git(at.root, 'init', '-q', '--bare', '.');
    await expect(planPush({ root: at.root })).rejects.toThrow('bare git repository');
    await expect(planPush({ root: `${at.root}/none` })).rejects.toThrow('is not a directory');
  });

  test('tells of a merge in progress, and takes each file once', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { a: 'base\n' });
    commitAll(at.root);
    git(at.root, 'checkout', '-qb', 'other');
    write(at.root, { a: 'theirs\n' });
    commitAll(at.root);
    git(at.root, 'checkout', '-q', 'main');
    write(at.root, { a: 'ours\n' });
    commitAll(at.root);
    expect(() => git(at.root, 'merge', 'other')).toThrow();
    const plan = await planned(at.root);
    expect(plan.sent).toEqual(['a']);
    expect(plan.warnings.join()).toContain('a merge is in progress');
  });
});

describe('`pushProject()`', () => {
  test('sends only what changed since the last push, and removes what is gone', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { a: '1', 'd/b': '2', 'd/c': '3' });
    commitAll(at.root);
    expect((await push(at)).sentCount).toBe(3);
    write(at.root, { a: '11', e: '4' });
    fs.rmSync(path.join(at.root, 'd'), { recursive: true });
    const second = await push(at);
    expect([second.sentCount, second.removedCount, second.sentBytes]).toEqual([2, 2, 3]);
    expect(treeOf(at.inside)).toEqual(treeOf(at.root));
    expect(fs.existsSync(path.join(at.inside, 'd'))).toBe(false);
    const third = await push(at);
    expect([third.sentCount, third.removedCount, third.history]).toEqual([0, 0, null]);
  });

  test('sees an edit that keeps size and time', async () => {
    using at = place();
    write(at.root, { a: 'one' });
    const file = path.join(at.root, 'a');
    fs.utimesSync(file, 1e9, 1e9);
    await push(at);
    write(at.root, { a: 'two' });
    fs.utimesSync(file, 1e9, 1e9);
    expect((await push(at)).sentCount).toBe(1);
    expect(read(at.inside, 'a')).toBe('two');
  });

  test('never overwrites or removes what was changed in the sprite; `force` does', async () => {
    using at = place();
    write(at.root, { both: '1', removed: '2', theirs: '3', 'dir/x': '4' });
    await push(at);
    write(at.inside, { both: 'sprite', removed: 'sprite', theirs: 'sprite', new: 'sprite' });
    write(at.root, { both: 'host', new: 'host' });
    fs.rmSync(path.join(at.root, 'removed'));
    const before = treeOf(at.inside);
    await expect(push(at)).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { paths: expect.arrayContaining(['both', 'removed', 'new']) },
    });
    expect(treeOf(at.inside)).toEqual(before);
    await push(at, { force: true });
    expect(read(at.inside, 'both')).toBe('host');
    expect(read(at.inside, 'new')).toBe('host');
    expect(fs.existsSync(path.join(at.inside, 'removed'))).toBe(false);
    expect(read(at.inside, 'theirs')).toBe('sprite');
  });

  test('a file in the sprite where a directory is to go is a conflict, and so is the other way round', async () => {
    using at = place();
    write(at.root, { a: '1' });
    await push(at);
    write(at.inside, { d: 'file', 'e/own': 'file' });
    write(at.root, { 'd/x': '2', e: '3' });
    await expect(push(at)).rejects.toMatchObject({ details: { paths: expect.arrayContaining(['d', 'e']) } });
    await push(at, { force: true });
    expect(read(at.inside, 'd/x') + read(at.inside, 'e')).toBe('23');
  });

  test('files and directories that changed places are carried', async () => {
    using at = place();
    write(at.root, { file: '1', 'dir/x': '2' });
    await push(at);
    for (const name of ['file', 'dir']) fs.rmSync(path.join(at.root, name), { recursive: true });
    write(at.root, { 'file/x': '3', dir: '4' });
    await push(at);
    expect(treeOf(at.inside)).toEqual(treeOf(at.root));
  });

  test('is not fooled by a sprite made anew, emptied, or holding another push', async () => {
    using at = place();
    write(at.root, { a: '1', b: '2' });
    await push(at);
    fs.rmSync(at.inside, { recursive: true });
    expect((await push(at)).sentCount).toBe(2);
    fs.rmSync(path.join(at.inside, 'a'));
    expect((await push(at, { port: at.portWith({ id: 'another' }) })).sentCount).toBe(1);
    expect(treeOf(at.inside)).toEqual(treeOf(at.root));
    write(at.inside, { '.wreckit/sync/push-id': 'somebody-elses', b: 'other' });
    await expect(push(at, { port: at.portWith({ id: 'another' }) })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  test('cut off in the middle, it is finished by the next one', async () => {
    using at = place();
    write(at.root, { a: '1', b: '2', c: '3' });
    const broken = at.portWith({ path: '/nowhere' });
    await expect(push(at, { port: broken, isFresh: true })).rejects.toMatchObject({
      code: 'SPRITE_SYNC_FAILED',
    });
    // Half of it arrived, one file cut short.
    write(at.inside, { a: '1', b: '' });
    expect((await push(at)).fileCount).toBe(3);
    expect(treeOf(at.inside)).toEqual(treeOf(at.root));
  });

  test('ends with the reason when it is aborted', async () => {
    using at = place();
    write(at.root, { a: '1' });
    const reason = new Error('enough');
    await expect(push(at, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('leaves nothing in the project but its ignored state, and git sees none of it', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { a: '1' });
    commitAll(at.root);
    await push(at);
    expect(git(at.root, 'status', '--porcelain')).toBe('');
    expect(fs.readdirSync(path.join(at.root, '.wreckit'))).toEqual(['sync']);
    expect(
      fs
        .readdirSync(path.join(at.root, '.wreckit/sync/sprites/demo'))
        .filter((name) => !/^(record\.json|base-.*\.bin)$/.test(name)),
    ).toEqual([]);
  });

  test('refuses sync state behind a link', async () => {
    using at = place();
    write(at.root, { a: '1' });
    fs.symlinkSync(path.dirname(at.root), path.join(at.root, '.wreckit'));
    await expect(push(at)).rejects.toMatchObject({ code: 'SPRITE_SYNC_FAILED' });
  });

  test('tells how far it is', async () => {
    using at = place();
    write(at.root, { a: '123', b: '45' });
    const seen: string[] = [];
    await push(at, {
      onProgress: (p) => seen.push(`${p.phase} ${p.filesDone}/${p.filesTotal} ${p.bytesDone}`),
    });
    expect(seen).toEqual(['send 1/2 3', 'send 2/2 5']);
  });
});

describe("the sprite's repository", () => {
  test('has history, a clean status for what is committed, and nothing of this machine', async () => {
    using at = place();
    initGit(at.root);
    for (const text of ['1', '2', '3']) {
      write(at.root, { a: text });
      commitAll(at.root, `commit ${text}`);
    }
    git(at.root, 'remote', 'add', 'origin', 'https://user:hunter2@example.invalid/x.git');
    git(at.root, 'config', 'core.hooksPath', '/tmp/evil');
    write(at.root, { '.git/hooks/pre-commit': '#!/bin/sh\nexit 1\n', b: 'new', a: 'edited' });
    const { history } = await push(at);
    expect(history).toEqual({ commitCount: 3, withheldCount: 0 });
    expect(git(at.inside, 'status', '--porcelain')).toBe(' M a\n?? b');
    expect(git(at.inside, 'log', '--format=%s')).toBe('commit 3\ncommit 2\ncommit 1');
    expect(git(at.inside, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('main');
    expect(git(at.inside, 'fsck', '--full')).toBe('');
    expect(git(at.inside, 'remote')).toBe('');
    expect(fs.existsSync(path.join(at.inside, '.git/hooks'))).toBe(false);
    git(at.inside, 'add', '-A');
    git(at.inside, 'commit', '-qm', 'by the agent');
    expect(git(at.inside, 'log', '-1', '--format=%an %s')).toBe('Sprite agent by the agent');
  });

  test('is as deep as asked for, and whole all the same', async () => {
    using at = place();
    initGit(at.root);
    for (let count = 0; count < 6; count += 1) {
      write(at.root, { a: `${count}` });
      commitAll(at.root, `commit ${count}`);
    }
    expect((await push(at, { historyDepth: 2 })).history?.commitCount).toBe(2);
    expect(git(at.inside, 'rev-list', '--count', 'HEAD')).toBe('2');
    expect(git(at.inside, 'fsck', '--full')).toBe('');
    expect((await push(at, { historyDepth: null })).history?.commitCount).toBe(6);
  });

  test('of a shallow clone with merges is whole', async () => {
    using at = place();
    const origin = path.join(path.dirname(at.root), 'origin');
    fs.mkdirSync(origin);
    initGit(origin);
    for (let count = 0; count < 4; count += 1) {
      write(origin, { a: `${count}` });
      commitAll(origin);
      git(origin, 'checkout', '-qb', `side${count}`, 'HEAD');
      write(origin, { [`s${count}`]: 'x' });
      commitAll(origin);
      git(origin, 'checkout', '-q', 'main');
      git(origin, 'merge', '-q', '--no-ff', '-m', 'merge', `side${count}`);
    }
    fs.rmdirSync(at.root);
    git(path.dirname(at.root), 'clone', '-q', '--depth', '3', `file://${origin}`, 'project');
    await push(at, { historyDepth: 4 });
    expect(git(at.inside, 'fsck', '--full')).toBe('');
    expect(git(at.inside, 'status', '--porcelain')).toBe('');
    expect(Number(git(at.inside, 'rev-list', '--count', 'HEAD'))).toBeGreaterThan(2);
  });

  test('has no content of files that stay, in no commit, and works all the same', async () => {
    using at = place();
    initGit(at.root);
    const KEY = '-----BEGIN PRIVATE KEY-----\nold\n';
    write(at.root, {
      '.env': 'OLD=hunter1\n',
      'tls.pem': KEY,
      'cert.pem': 'CERT 1\n',
      'docs/x': 'excluded 1\n',
      a: '1\n',
    });
    commitAll(at.root, 'one');
    write(at.root, { '.env': 'NEW=hunter2\n', 'cert.pem': 'CERT 2\n', 'docs/x': 'excluded 2\n' });
    fs.rmSync(path.join(at.root, 'tls.pem'));
    commitAll(at.root, 'two');
    const { history } = await push(at, { exclude: ['docs'] });
    expect(history?.withheldCount).toBe(5);
    const blobs = git(at.inside, 'cat-file', '--batch-check', '--batch-all-objects').split('\n');
    const contents = blobs
      .filter((line) => line.includes(' blob '))
      .map((line) => git(at.inside, 'cat-file', 'blob', line.split(' ')[0] ?? ''));
    expect(contents.sort()).toEqual(['1', 'CERT 1', 'CERT 2']);
    expect(git(at.inside, 'status', '--porcelain')).toBe('');
    expect(git(at.inside, 'fsck')).toBe('');
    write(at.inside, { a: '2\n' });
    git(at.inside, 'commit', '-qam', 'agent');
    git(at.inside, 'gc', '-q');
    expect(git(at.inside, 'show', '--format=', '--stat', 'HEAD')).toContain('a | 2 +-');
  });

  test('is at the same place on a detached HEAD, on an unborn branch, in a linked work tree', async () => {
    using at = place();
    initGit(at.root);
    await push(at);
    expect(git(at.inside, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    write(at.root, { a: '1' });
    const head = commitAll(at.root);
    await push(at);
    expect(git(at.inside, 'rev-parse', 'main')).toBe(head);
    git(at.root, 'checkout', '-q', '--detach');
    await push(at);
    expect(fs.readFileSync(path.join(at.inside, '.git/HEAD'), 'utf8').trim()).toBe(head);
    const linked = path.join(path.dirname(at.root), 'linked');
    git(at.root, 'worktree', 'add', '-q', '-b', 'side', linked);
    const inside = `${at.inside}-2`;
    const { localDirPort } = await import('./local-dir-port.ts');
    await pushProject({ root: linked, port: localDirPort(inside) });
    expect(git(inside, 'status', '--porcelain', '--branch')).toBe('## side');
  });

  test('follows HEAD, unless the sprite has commits of its own', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { a: '1' });
    commitAll(at.root);
    await push(at);
    write(at.root, { a: '2' });
    const second = commitAll(at.root);
    await push(at);
    expect(git(at.inside, 'rev-parse', 'HEAD')).toBe(second);
    expect(git(at.inside, 'status', '--porcelain')).toBe('');
    expect(git(at.inside, 'fsck')).toBe('');
    write(at.inside, { own: 'x' });
    git(at.inside, 'add', '-A');
    git(at.inside, 'commit', '-qm', 'own');
    const own = git(at.inside, 'rev-parse', 'HEAD');
    write(at.root, { a: '3' });
    commitAll(at.root);
    expect((await push(at)).warnings.join()).toContain('commits of its own');
    expect(git(at.inside, 'rev-parse', 'HEAD')).toBe(own);
    expect(read(at.inside, 'a')).toBe('3');
  });

  test('has submodules with repositories of their own; their edits go along', async () => {
    using at = place();
    const library = path.join(path.dirname(at.root), 'library');
    fs.mkdirSync(library);
    initGit(library);
    write(library, { lib: '1' });
    commitAll(library);
    initGit(at.root);
    git(at.root, 'submodule', '--quiet', 'add', library, 'vendor/lib');
    write(at.root, { a: '1' });
    commitAll(at.root);
    write(at.root, { 'vendor/lib/lib': 'edited', 'vendor/lib/new': 'n' });
    await push(at);
    expect(treeOf(at.inside)).toEqual(treeOf(at.root));
    expect(git(at.inside, 'status', '--porcelain', '--ignore-submodules=all')).toBe('');
    expect(git(path.join(at.inside, 'vendor/lib'), 'status', '--porcelain')).toBe(' M lib\n?? new');
  });

  test('of a sparse checkout does not take what is left out for deleted', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { 'in/a': '1', 'out/b': '2' });
    commitAll(at.root);
    git(at.root, 'sparse-checkout', 'set', 'in');
    await push(at);
    expect([...treeOf(at.inside).keys()]).toEqual(['in/a']);
    expect(git(at.inside, 'status', '--porcelain')).toBe('');
  });

  test('uses sha256 object ids where the project does', async () => {
    using at = place();
    git(at.root, 'init', '-q', '--object-format=sha256', '--initial-branch=main');
    git(at.root, 'config', 'user.name', 'T');
    git(at.root, 'config', 'user.email', 't@example.invalid');
    write(at.root, { a: '1' });
    commitAll(at.root);
    await push(at);
    expect(git(at.inside, 'status', '--porcelain')).toBe('');
    expect(git(at.inside, 'fsck')).toBe('');
  });

  test('of a part of a larger repository is not sent; the files are', async () => {
    using at = place();
    initGit(at.root);
    write(at.root, { top: '1', 'packages/p/a': '2' });
    commitAll(at.root);
    const root = path.join(at.root, 'packages/p');
    const result = await pushProject({ root, port: at.port });
    expect([...treeOf(at.inside).keys()]).toEqual(['a']);
    expect(fs.existsSync(path.join(at.inside, '.git'))).toBe(false);
    expect(result.warnings.join()).toContain('part of a larger repository');
  });

  test('runs no hook, filter, fsmonitor or other program of the project', async () => {
    using at = place();
    initGit(at.root);
    const mark = path.join(path.dirname(at.root), 'ran');
    const evil = `sh -c 'touch ${mark}; cat'`;
    write(at.root, { a: '1\n', '.gitattributes': '* filter=evil diff=evil\n' });
    commitAll(at.root);
    for (const [key, value] of [
      ['core.fsmonitor', evil],
      ['filter.evil.clean', evil],
      ['filter.evil.smudge', evil],
      ['filter.evil.process', evil],
      ['diff.external', evil],
      ['diff.evil.command', evil],
      ['diff.evil.textconv', evil],
      ['core.pager', evil],
      ['core.editor', evil],
      ['core.sshCommand', evil],
      ['credential.helper', evil],
      ['core.alternateRefsCommand', evil],
    ])
      git(at.root, 'config', key ?? '', value ?? '');
    for (const hook of [
      'post-index-change',
      'reference-transaction',
      'post-checkout',
      'fsmonitor-watchman',
      'pre-auto-gc',
    ]) {
      write(at.root, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch ${mark}\n` });
      fs.chmodSync(path.join(at.root, '.git/hooks', hook), 0o755);
    }
    write(at.root, { a: '2\n' });
    await push(at);
    write(at.root, { a: '3\n' });
    await push(at);
    expect(fs.existsSync(mark)).toBe(false);
  });
});
