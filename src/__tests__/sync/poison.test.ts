/** Sprites that try to get out through what they give back. */
import { afterEach, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type TarInput, writeTar } from '../../archive/tar-writer.ts';
import type { ChangeSet } from '../../sync/change-set.ts';
import { type LandMode, landChanges } from '../../sync/land.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { commitAll, git, initGit, type Place, place, treeOf, write } from './project.ts';

const open: Place[] = [];
afterEach(() => {
  for (const at of open.splice(0)) at[Symbol.dispose]();
});

async function pushed(): Promise<Place> {
  const at = place();
  open.push(at);
  initGit(at.root);
  write(at.root, { a: '1\n', 'dir/b': '2\n', 'keep/c': '3\n' });
  commitAll(at.root);
  await pushProject({ root: at.root, port: at.port });
  return at;
}

/** Lands every way there is. */
async function landEverywhere(changeSet: ChangeSet): Promise<void> {
  for (const mode of ['branch', 'patch', 'apply'] satisfies LandMode[])
    await landChanges({ changeSet, mode });
}

function around(at: Place): string[] {
  return fs.readdirSync(path.dirname(at.root)).sort();
}

/** Plants programs in the sprite that lie. `find` answers with `records`, `tar` with `archive`. */
function lying(
  at: Place,
  records: readonly [facts: string, name: string, target?: string][],
  archive?: Buffer,
) {
  const bin = path.join(path.dirname(at.inside), 'bin');
  const answer = records.map(([facts, name, target = '']) => `${facts}\0${name}\0${target}\0`).join('');
  write(bin, { 'find.out': Buffer.from(answer, 'latin1'), 'tar.out': archive ?? Buffer.alloc(0) });
  write(bin, {
    find: `#!/bin/sh\ncat "${bin}/find.out"\n`,
    ...(archive && { tar: `#!/bin/sh\ncat >/dev/null; cat "${bin}/tar.out"\n` }),
  });
  for (const name of ['find', 'tar'])
    if (fs.existsSync(path.join(bin, name))) fs.chmodSync(path.join(bin, name), 0o755);
  return at.portWith({ path: `${bin}:${process.env.PATH}` });
}

const SAME: [string, string][] = [
  ['f 644 2 1.0', 'a'],
  ['f 644 2 1.0', 'dir/b'],
  ['f 644 2 1.0', 'keep/c'],
];

function file(name: string | Buffer, content: string, over: Partial<TarInput> = {}): TarInput {
  const bytes = Buffer.from(content);
  return {
    name,
    type: 'file',
    mode: 0o644,
    mtimeSeconds: 1,
    sizeBytes: bytes.length,
    content: [bytes],
    ...over,
  };
}

async function tarOf(...members: TarInput[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeTar(members)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

describe("git's own files", () => {
  test('a .git of the sprite in any form never comes back: config, hooks, alternates, as a file, as a link', async () => {
    const at = await pushed();
    const mark = path.join(path.dirname(at.root), 'ran');
    const evil = `touch ${mark}`;
    for (const [key, value] of [
      ['core.fsmonitor', evil],
      ['core.hooksPath', at.inside],
      ['diff.external', evil],
      ['filter.x.clean', evil],
      ['filter.x.smudge', evil],
      ['core.sshCommand', evil],
      ['core.pager', evil],
      ['core.worktree', '/'],
    ])
      git(at.inside, '-c', 'core.fsmonitor=false', '-c', 'core.worktree=.', 'config', key ?? '', value ?? '');
    write(at.inside, {
      '.git/hooks/post-checkout': `#!/bin/sh\n${evil}\n`,
      '.git/objects/info/alternates': '/etc\n',
      '.git/config.worktree': '[core]\n',
      '.gitattributes': '* filter=x diff=x merge=x\n',
      'sub/.git/config': `[core]\n\tfsmonitor = ${evil}\n`,
      'sub/x': 'x\n',
      'file/.git': 'gitdir: ../../evil\n',
      a: 'changed\n',
    });
    fs.symlinkSync('/etc', path.join(at.inside, 'keep/.git'));
    const config = fs.readFileSync(path.join(at.root, '.git/config'), 'utf8');
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    expect(changeSet.changes.map(({ path: name }) => name)).toEqual(['.gitattributes', 'a', 'sub/x']);
    await landEverywhere(changeSet);
    git(at.root, 'status');
    git(at.root, 'diff');
    expect(fs.existsSync(mark)).toBe(false);
    expect(fs.readFileSync(path.join(at.root, '.git/config'), 'utf8')).toBe(config);
    expect(fs.existsSync(path.join(at.root, 'sub/.git'))).toBe(false);
  });

  for (const name of [
    '.GIT',
    'git~1',
    '.git.',
    '.git ',
    'dir/.Git',
    'dir/GIT~2',
    '.g\u200cit',
    '.git::$INDEX_ALLOCATION',
    '.git\\x',
  ]) {
    test(`${JSON.stringify(name)} is refused by name`, async () => {
      const at = await pushed();
      const isPruned = /(^|\/)\.git$/i.test(name);
      write(at.inside, { [`${name}/hooks/x`]: 'x', a: 'changed\n' });
      const { changes, rejected } = await pullChanges({ root: at.root, port: at.port });
      expect(changes.map(({ path: other }) => other)).toEqual(['a']);
      expect(rejected.map(({ kind }) => kind)).toEqual(isPruned ? [] : ['unsafe_name']);
    });
  }

  test('links in the place of files git reads rules from are refused', async () => {
    const at = await pushed();
    for (const name of ['.gitattributes', '.gitignore', 'dir/.gitmodules', '.mailmap'])
      fs.symlinkSync('a', path.join(at.inside, name));
    const { changes, rejected } = await pullChanges({ root: at.root, port: at.port });
    expect(changes).toEqual([]);
    expect(rejected.map(({ kind }) => kind)).toEqual(Array(4).fill('unsafe_link'));
  });

  test("wreckit's own state and settings are refused; a configuration is laid beside, not taken", async () => {
    const at = await pushed();
    write(at.inside, {
      '.wreckit/config.local.json': '{"agent":{"kind":"process"}}',
      '.wreckit/runs/1/x': 'x',
      '.wreckit/sync/x': 'x',
      '.wreckit/config.json': '{"agent":{"kind":"process","command":"evil"}}',
      '.wreckitrc': '{}',
      '.wreckit/items/1': 'plan',
    });
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    expect(changeSet.rejected.map(({ path: name, kind }) => `${name} ${kind}`)).toEqual([
      '.wreckit/config.local.json private',
      '.wreckit/runs/1/x private',
    ]);
    const landed = await landChanges({ changeSet, mode: 'apply' });
    expect(landed.apply?.conflicts.map(({ path: name, reason }) => `${name} ${reason}`)).toEqual([
      '.wreckit/config.json held',
      '.wreckitrc held',
    ]);
    expect(fs.existsSync(path.join(at.root, '.wreckitrc'))).toBe(false);
    expect(fs.existsSync(path.join(at.root, '.wreckit/items/1'))).toBe(true);
    expect(landed.review.map(({ kind }) => kind)).toEqual(['wreckit', 'wreckit']);
  });

  test('a configuration in a directory of the project is not taken either, nor a link to one', async () => {
    const at = await pushed();
    const evil = '{"agent":{"kind":"sprite","wispPath":"../tool"}}';
    write(at.inside, {
      'sub/.wreckitrc': evil,
      'sub/.wreckit/config.json': evil,
      'sub/.wreckit/config.local.json': evil,
      'lib/config.json': evil,
      'link/file': 'x',
    });
    fs.symlinkSync('../lib', path.join(at.inside, 'link', '.wreckit'));
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    expect(changeSet.rejected.map(({ path: name, kind }) => `${name} ${kind}`)).toEqual([
      'sub/.wreckit/config.local.json private',
    ]);
    const landed = await landChanges({ changeSet, mode: 'apply' });
    expect(landed.apply?.conflicts.map(({ path: name, reason }) => `${name} ${reason}`)).toEqual([
      'link/.wreckit held',
      'sub/.wreckit/config.json held',
      'sub/.wreckitrc held',
    ]);
    for (const name of ['sub/.wreckitrc', 'sub/.wreckit/config.json', 'link/.wreckit'])
      expect(fs.existsSync(path.join(at.root, name))).toBe(false);
    expect(landed.review.map(({ path: name, kind }) => `${name} ${kind}`)).toEqual([
      'link/.wreckit wreckit',
      'sub/.wreckit/config.json wreckit',
      'sub/.wreckitrc wreckit',
    ]);
  });
});

describe('links and special files', () => {
  test('links out of the project are refused, directly and through other links, and never written through', async () => {
    const at = await pushed();
    const outside = path.join(path.dirname(at.root), 'outside');
    write(outside, { target: 'untouched' });
    fs.rmSync(path.join(at.inside, 'dir'), { recursive: true });
    fs.symlinkSync('../outside', path.join(at.inside, 'dir'));
    fs.symlinkSync(outside, path.join(at.inside, 'abs'));
    fs.symlinkSync('keep', path.join(at.inside, 'in'));
    fs.symlinkSync('in/../../outside', path.join(at.inside, 'through'));
    fs.symlinkSync('.git/hooks', path.join(at.inside, 'hooks'));
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    expect(changeSet.rejected.map(({ path: name }) => name)).toEqual(['abs', 'dir', 'hooks', 'through']);
    await landEverywhere(changeSet);
    expect(treeOf(outside).size).toBe(1);
    expect(fs.readlinkSync(path.join(at.root, 'in'))).toBe('keep');
    expect(fs.existsSync(path.join(at.root, 'dir'))).toBe(false);
  });

  test('a lying scan: a file below a link of its own is not written through the link', async () => {
    const at = await pushed();
    const outside = path.join(path.dirname(at.root), 'outside');
    fs.mkdirSync(outside);
    const archive = await tarOf(file('./keep2/x', 'evil'), file('./sub/link/y', 'evil'));
    const port = lying(
      at,
      [
        ...SAME,
        ['l 777 0 9.0', 'sub/link', '../keep'],
        ['f 644 4 9.0', 'sub/link/y'],
        ['f 644 4 9.0', 'keep2/x'],
        ['l 777 0 9.0', 'keep2', 'keep'],
      ],
      archive,
    );
    const before = treeOf(path.join(at.root, 'keep'));
    const changeSet = await pullChanges({ root: at.root, port });
    await landChanges({ changeSet, mode: 'apply' });
    expect(treeOf(path.join(at.root, 'keep'))).toEqual(before);
    expect(fs.readdirSync(outside)).toEqual([]);
  });

  test('a link of the host that appeared meanwhile is not written through', async () => {
    const at = await pushed();
    const outside = path.join(path.dirname(at.root), 'outside');
    write(outside, { b: 'untouched' });
    write(at.inside, { 'dir/b': 'changed\n', 'dir/new': 'new\n' });
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    fs.rmSync(path.join(at.root, 'dir'), { recursive: true });
    fs.symlinkSync(outside, path.join(at.root, 'dir'));
    const landed = await landChanges({ changeSet, mode: 'apply' });
    expect([...treeOf(outside).keys()]).toEqual(['b']);
    expect(fs.readFileSync(path.join(outside, 'b'), 'utf8')).toBe('untouched');
    expect(landed.apply?.conflicts.map(({ reason }) => reason)).toEqual(['in_the_way', 'in_the_way']);
    expect(fs.readFileSync(path.join(at.root, 'dir.sprite/new'), 'utf8')).toBe('new\n');
  });

  test('devices, FIFOs and sockets are named and stay', async () => {
    const at = await pushed();
    spawnSync('mkfifo', [path.join(at.inside, 'pipe')]);
    if (process.getuid?.() === 0) spawnSync('mknod', [path.join(at.inside, 'null'), 'c', '1', '3']);
    fs.rmSync(path.join(at.inside, 'a'));
    spawnSync('mkfifo', [path.join(at.inside, 'a')]);
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    expect(changeSet.changes).toEqual([]);
    expect(changeSet.rejected.every(({ kind }) => kind === 'special')).toBe(true);
    expect(fs.readFileSync(path.join(at.root, 'a'), 'utf8')).toBe('1\n');
  });

  test('a hard link to a file outside is content, not a link', async () => {
    const at = await pushed();
    const outside = path.join(path.dirname(at.inside), 'passwd');
    fs.writeFileSync(outside, 'root:x\n');
    fs.linkSync(outside, path.join(at.inside, 'hard'));
    fs.linkSync(path.join(at.inside, 'a'), path.join(at.inside, 'hard-a'));
    const changeSet = await pullChanges({ root: at.root, port: at.port });
    await landChanges({ changeSet, mode: 'apply' });
    expect(fs.statSync(path.join(at.root, 'hard')).nlink).toBe(1);
    expect(fs.statSync(path.join(at.root, 'hard-a')).nlink).toBe(1);
  });
});

describe('an archive that is not what was asked for', () => {
  const asked: [string, string][] = [...SAME, ['f 644 4 9.0', 'x']];
  const ARCHIVES: [what: string, members: TarInput[]][] = [
    ['another name', [file('./y', 'evil')]],
    ['a name with ..', [file('./../x', 'evil')]],
    ['an absolute name', [file('/tmp/x', 'evil')]],
    ['.git', [file('./.git/config', 'evil')]],
    ['the same twice', [file('./x', 'evil'), file('./x', 'evil')]],
    [
      'a link',
      [file('./x', '', { type: 'symlink', linkName: '/etc/passwd', sizeBytes: 0, content: undefined })],
    ],
    [
      'a hard link',
      [file('./x', '', { type: 'hardlink', linkName: '/etc/passwd', sizeBytes: 0, content: undefined })],
    ],
    ['a directory', [file('./x', '', { type: 'directory', sizeBytes: 0, content: undefined })]],
  ];
  for (const [what, members] of ARCHIVES) {
    test(`${what}: the whole pull is refused`, async () => {
      const at = await pushed();
      const port = lying(at, asked, await tarOf(...members));
      const before = [treeOf(at.root), around(at)];
      await expect(pullChanges({ root: at.root, port })).rejects.toMatchObject({
        code: 'SPRITE_SYNC_FAILED',
      });
      expect([treeOf(at.root), around(at)]).toEqual(before);
      expect(fs.readdirSync(path.join(at.root, '.wreckit/sync/pulls'))).toEqual([]);
    });
  }

  test('cut off, empty or no archive at all: refused, never an empty success', async () => {
    const at = await pushed();
    const whole = await tarOf(file('./x', 'evil'));
    for (const bytes of [
      Buffer.alloc(0),
      whole.subarray(0, 700),
      Buffer.from('this is no tar'.repeat(100)),
    ]) {
      const port = lying(at, asked, bytes);
      await expect(pullChanges({ root: at.root, port })).rejects.toMatchObject({
        code: 'SPRITE_SYNC_FAILED',
      });
    }
  });

  test('a header of 10 GB where 4 bytes were announced: ended at once', async () => {
    const at = await pushed();
    const header = (await tarOf(file('./x', 'evil'))).subarray(0, 512);
    const bomb = Buffer.from(header);
    bomb.write('120000000000\0', 124, 'latin1');
    let sum = 0x20 * 8;
    for (let index = 0; index < 512; index += 1) if (index < 148 || index >= 156) sum += bomb[index] ?? 0;
    bomb.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const port = lying(at, asked, bomb);
    const bin = path.join(path.dirname(at.inside), 'bin');
    write(bin, { tar: `#!/bin/sh\ncat "${bin}/tar.out"; exec cat /dev/zero\n` });
    await expect(pullChanges({ root: at.root, port })).rejects.toThrow('at most 4 GiB');
  });

  test('a list without end is ended at its limit', async () => {
    const at = await pushed();
    const port = lying(at, []);
    const bin = path.join(path.dirname(at.inside), 'bin');
    write(bin, {
      find: '#!/bin/sh\nexec awk \'BEGIN { for (i = 0; ; i++) printf "f 644 1 9.0%c%d%c%c", 0, i, 0, 0 }\'\n',
    });
    const limits = { maxScannedFiles: 10_000 };
    await expect(pullChanges({ root: at.root, port, limits })).rejects.toThrow('more than 10000 files');
  });

  test('records that are none are refused', async () => {
    const at = await pushed();
    for (const facts of ['f', 'f 644 -1 9.0', 'f 644 99999999999999999999 9.0', 'evil']) {
      const port = lying(at, [[facts, 'x']]);
      await expect(pullChanges({ root: at.root, port })).rejects.toMatchObject({
        code: 'SPRITE_SYNC_FAILED',
      });
    }
  });

  test('names with .., absolute ones and empty ones in the scan are refused by name', async () => {
    const at = await pushed();
    const names = ['../x', '/etc/cron.d/x', 'a//b', 'dir/../../x', '.', ''];
    const port = lying(at, [...SAME, ...names.map((name): [string, string] => ['f 644 4 9.0', name])]);
    const { changes, rejected } = await pullChanges({ root: at.root, port });
    expect(changes).toEqual([]);
    expect(rejected.map(({ kind }) => kind)).toEqual(names.map(() => 'unsafe_name'));
  });
});
