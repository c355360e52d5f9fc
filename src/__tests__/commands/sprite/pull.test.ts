import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type TarInput, writeTar } from '../../../archive/tar-writer.ts';
import { type FakeReply, fakeWisp } from '../../helpers/fake-wisp.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';
import { wreckit, wreckitJson } from '../../helpers/wreckit.ts';

function file(name: string, text: string, mode = 0o644): TarInput {
  const content = Buffer.from(text);
  return { name, type: 'file', mode, mtimeSeconds: 1000, sizeBytes: content.length, content: [content] };
}

function entry(name: string, type: 'directory' | 'symlink' | 'hardlink', linkName = ''): TarInput {
  return { name, type, mode: 0o755, mtimeSeconds: 1000, sizeBytes: 0, linkName };
}

const ROOT = entry('./', 'directory');

/** A sprite whose `pull` answers with these members. */
async function pulling(dir: TempDir, members: readonly TarInput[], more: FakeReply = {}) {
  const tar = Buffer.concat(await Array.fromAsync(writeTar(members)));
  return withPull(dir, { stdout_base64: tar.toString('base64'), ...more });
}

function withPull(dir: TempDir, reply: FakeReply) {
  mkdirSync(dir.join('project'));
  const fake = fakeWisp(dir, { pull: reply });
  const env = { ...fake.env, WRECKIT_WISP_PATH: fake.path };
  const options = { cwd: dir.join('project'), env };
  return {
    fake,
    pull: (...args: readonly string[]) => wreckitJson(['sprite', 'pull', 'demo', ...args], options),
    human: (...args: readonly string[]) => wreckit(['sprite', 'pull', 'demo', ...args], options),
    names: () => readdirSync(dir.join('project')).sort(),
  };
}

test('sprite pull copies a directory under its own name, and says where and how much', async () => {
  using dir = tempDir();
  const { human, names } = await pulling(dir, [
    ROOT,
    file('./a.txt', 'hello'),
    entry('./d/', 'directory'),
    file('./d/run', '#!', 0o755),
  ]);
  const { stdout, stderr, exitCode } = await human('project/dist');
  expect([stdout, stderr, exitCode]).toEqual([
    `pulled project/dist to ${dir.join('project', 'dist')} (7 B)\n`,
    '',
    0,
  ]);
  expect(names()).toEqual(['dist']);
  expect(readFileSync(dir.join('project', 'dist', 'a.txt'), 'utf8')).toBe('hello');
});

test('sprite pull copies one file, and into a directory that is there', async () => {
  using dir = tempDir();
  const { pull, names } = await pulling(dir, [file('report.html', '<p>')]);
  expect((await pull('project/report.html')).exitCode).toBe(0);
  mkdirSync(dir.join('project', 'here'));
  const { document } = await pull('project/report.html', 'here');
  expect(document.data).toMatchObject({ path: dir.join('project', 'here', 'report.html'), size_bytes: 3 });
  expect(names()).toEqual(['here', 'report.html']);
});

test('sprite pull leaves git directories of every spelling and dangerous links there, and names them', async () => {
  using dir = tempDir();
  const { pull } = await pulling(dir, [
    ROOT,
    file('./good.txt', 'good'),
    entry('./.git/', 'directory'),
    file('./.git/config', '[core]\nfsmonitor = "touch /tmp/owned"\n'),
    entry('./sub/', 'directory'),
    file('./sub/.GIT', 'gitdir: /tmp/evil'),
    file('./sub/git~1', 'x'),
    entry('./absolute', 'symlink', '/etc/passwd'),
    entry('./up', 'symlink', '../../outside'),
    entry('./fine', 'symlink', 'sub/x'),
    entry('./hook', 'hardlink', './.git/config'),
  ]);
  const { document, exitCode, stderr } = await pull('/home/sprite/project', 'out');
  expect(exitCode).toBe(0);
  expect(readdirSync(dir.join('project', 'out')).sort()).toEqual(['fine', 'good.txt', 'sub']);
  expect(readdirSync(dir.join('project', 'out', 'sub'))).toEqual([]);
  const left: { path: string; reason: string }[] = document.data.left_in_sprite;
  expect(left.map(({ path }) => path)).toEqual([
    ...['"./.git/"', '"./sub/.GIT"', '"./sub/git~1"', '"./absolute"', '"./up"', '"./hook"'],
  ]);
  expect(stderr.match(/^warning: stays in the sprite: /gm)).toHaveLength(6);
});

test("sprite pull leaves wreckit's settings there: they name programs that run here", async () => {
  using dir = tempDir();
  const evil = '{"agent":{"kind":"sprite","wispPath":"./tool"}}';
  const { pull } = await pulling(dir, [
    ROOT,
    entry('./.wreckit/', 'directory'),
    file('./.wreckit/config.json', evil),
    file('./.wreckit/config.local.json', evil),
    entry('./.wreckit/sync/', 'directory'),
    file('./.wreckit/sync/push-id', 'x'),
    entry('./sub/', 'directory'),
    file('./sub/.WreckitRC', evil),
    file('./settings/config.json', '{}'),
    entry('./link/', 'directory'),
    entry('./link/.wreckit', 'symlink', '../settings'),
    entry('./plan/.wreckit/', 'directory'),
    file('./plan/.wreckit/items/1', 'a plan'),
  ]);
  const { document, exitCode } = await pull('/home/sprite/project', 'out');
  expect(exitCode).toBe(0);
  const left: { path: string; reason: string }[] = document.data.left_in_sprite;
  expect(left.map(({ path }) => path)).toEqual([
    '"./.wreckit/config.json"',
    '"./.wreckit/config.local.json"',
    '"./sub/.WreckitRC"',
    '"./link/.wreckit"',
  ]);
  const came = readdirSync(dir.join('project', 'out'), { recursive: true }).map(String).sort();
  expect(came).toEqual([
    'link',
    ...['plan', 'plan/.wreckit', 'plan/.wreckit/items', 'plan/.wreckit/items/1'],
    ...['settings', 'settings/config.json', 'sub'],
  ]);
});

const POISON: readonly [what: string, member: TarInput][] = [
  ['leads up', file('../evil.txt', 'x')],
  ['leads up in the middle', file('./a/../../evil.txt', 'x')],
  ['is absolute', file('/tmp/wreckit-evil.txt', 'x')],
  ['is a hard link to something that is not in the archive', entry('./link', 'hardlink', '/etc/passwd')],
];

for (const [what, member] of POISON) {
  test(`sprite pull refuses an archive with a name that ${what}, and changes nothing`, async () => {
    using dir = tempDir();
    const { pull, names } = await pulling(dir, [ROOT, file('./good.txt', 'good'), member]);
    writeFileSync(dir.join('project', 'mine.txt'), 'mine');
    const { document, exitCode } = await pull('project', '.');
    expect([document.success, exitCode === 0]).toEqual([false, false]);
    expect(['PATH_INVALID', 'SPRITE_SYNC_FAILED']).toContain(document.error.code);
    expect(names()).toEqual(['mine.txt']);
    expect(existsSync(dir.join('evil.txt')) || existsSync('/tmp/wreckit-evil.txt')).toBe(false);
  });
}

const BROKEN: readonly [what: string, reply: FakeReply][] = [
  ['is cut off', { stdout_base64: Buffer.alloc(700, 'x').toString('base64') }],
  ['is nothing', {}],
  ['is text', { stdout: `${'error: no space left on device\n'.repeat(50)}` }],
  ['ends in a failure', { stderr: 'error: sprite "demo": gone\nhint: look\n', exit: 3 }],
  ['ends in a death', { signal: 'SIGKILL' }],
];

for (const [what, reply] of BROKEN) {
  test(`sprite pull fails when the archive ${what}, and changes nothing`, async () => {
    using dir = tempDir();
    const { pull, names } = withPull(dir, reply);
    const { document, exitCode } = await pull('project', 'out');
    expect([document.success, exitCode === 0]).toEqual([false, false]);
    expect(document.error.code).not.toBe('INTERNAL');
    expect(names()).toEqual([]);
  });
}

test('sprite pull does not take a whole archive for good when wisp then fails', async () => {
  using dir = tempDir();
  const members = [ROOT, file('./good.txt', 'good')];
  const { pull, names } = await pulling(dir, members, { stderr: 'error: a file changed\n', exit: 1 });
  expect((await pull('project', 'out')).document.error.code).toBe('SPRITE_SYNC_FAILED');
  expect(names()).toEqual([]);
});

test('sprite pull wants a name for what has none', async () => {
  using dir = tempDir();
  const { pull, fake } = await pulling(dir, [ROOT]);
  for (const src of ['/', '.', 'project/..']) {
    expect((await pull(src)).document.error.code).toBe('USAGE');
  }
  expect((await pull('project', '-')).document.error.code).toBe('USAGE');
  expect(fake.verbs()).toEqual([]);
});
