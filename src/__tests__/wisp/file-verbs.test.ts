import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { describeTree, file, symlink, tarOf } from '../archive/helpers.ts';
import { type LocalSprite, localSprite } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { WispProcess } from './wisp-process.ts';

const LIMIT_MS = 60_000;
let sprite: LocalSprite;
let wisp: WispProcess;

beforeAll(async () => {
  sprite = await localSprite();
  wisp = new WispProcess(sprite.home);
}, LIMIT_MS);
afterAll(async () => await sprite[Symbol.asyncDispose](), LIMIT_MS);

test(
  'wisp fs write and read carry any bytes; ls, mv, chmod, mkdir and rm do what they say',
  async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) & 0xff));
    const written = await wisp.json(['fs', 'write', 'demo', 'dir/-odd name', '--mode', '0755'], {
      stdin: bytes,
    });
    expect(written.document.data).toEqual({ path: 'dir/-odd name', size_bytes: 70_000 });
    const read = await wisp.run(['fs', 'read', 'demo', 'dir/-odd name']);
    expect(Buffer.from(read.stdout).equals(bytes)).toBe(true);
    const owner = await sprite.exec('stat -c "%U %a %F" "/home/sprite/dir/-odd name"');
    expect(owner.stdout).toBe('sprite 755 regular file\n');
    expect((await wisp.run(['fs', 'mkdir', 'demo', 'dir/a/b'])).exitCode).toBe(0);
    expect((await wisp.run(['fs', 'mv', 'demo', 'dir/-odd name', 'dir/even'])).exitCode).toBe(0);
    expect((await wisp.run(['fs', 'chmod', 'demo', 'dir/even', '600'])).exitCode).toBe(0);
    const { document } = await wisp.json(['fs', 'ls', 'demo', '/home/sprite/dir']);
    expect(
      document.data.entries.map((entry: Record<string, unknown>) => [entry.name, entry.type, entry.mode]),
    ).toEqual([
      ['a', 'directory', '0755'],
      ['even', 'file', '0600'],
    ]);
    expect(await wisp.json(['fs', 'rm', 'demo', 'dir'])).toMatchObject({
      exitCode: 2,
      document: { error: { code: 'PATH_INVALID', details: { errno: 'ENOTEMPTY' } } },
    });
    expect((await wisp.run(['fs', 'rm', 'demo', 'dir', '--recursive'])).exitCode).toBe(0);
    const gone = await wisp.text(['fs', 'ls', 'demo', 'dir']);
    expect(gone).toMatchObject({ exitCode: 2, stdout: '' });
    expect(gone.stderr).toContain('list "dir": there is no such file or directory');
  },
  LIMIT_MS,
);

test(
  'wisp fs read --json is text, or base64 where it is none',
  async () => {
    await wisp.run(['fs', 'write', 'demo', 'text'], { stdin: 'café' });
    await wisp.run(['fs', 'write', 'demo', 'bytes'], { stdin: Buffer.from([0xff, 0]) });
    const text = await wisp.json(['fs', 'read', 'demo', 'text']);
    expect(text.document.data).toEqual({ path: 'text', size_bytes: 5, content: 'café', encoding: 'utf8' });
    const bytes = await wisp.json(['fs', 'read', 'demo', 'bytes']);
    expect(bytes.document.data).toMatchObject({ content: '/wA=', encoding: 'base64' });
  },
  LIMIT_MS,
);

test(
  'wisp fs follows a link inside the sprite and never on the host',
  async () => {
    using dir = tempDir();
    fs.writeFileSync(dir.join('canary'), 'of the host');
    await sprite.exec(`ln -s ${dir.join('canary')} out; ln -s ${dir.path} outdir; ln -s /etc/hostname in`);
    expect((await wisp.text(['fs', 'read', 'demo', 'in'])).stdout).toBe('demo\n');
    expect(await wisp.json(['fs', 'read', 'demo', 'out'])).toMatchObject({
      exitCode: 2,
      document: { error: { details: { errno: 'ENOENT' } } },
    });
    await wisp.run(['fs', 'write', 'demo', 'out'], { stdin: 'from inside' });
    await wisp.run(['fs', 'write', 'demo', 'outdir/canary'], { stdin: 'from inside' });
    await wisp.run(['push', 'demo', dir.path, 'outdir']);
    expect(describeTree(dir.path)).toEqual(['canary 0644 "of the host"']);
  },
  LIMIT_MS,
);

test(
  'wisp push and pull carry a directory there and back',
  async () => {
    using dir = tempDir();
    const source = dir.join('source');
    fs.mkdirSync(`${source}/sub/empty`, { recursive: true });
    fs.writeFileSync(`${source}/run.sh`, '#!/bin/sh\n', { mode: 0o755 });
    fs.writeFileSync(`${source}/new\nline`, 'x');
    fs.writeFileSync(`${source}/sub/big`, Buffer.alloc(3_000_000, 'big '));
    fs.symlinkSync('../run.sh', `${source}/sub/link`);
    const pushed = await wisp.json(['push', 'demo', source, 'project/copy']);
    expect(pushed).toMatchObject({ exitCode: 0, document: { data: { path: 'project/copy', skipped: [] } } });
    const inside = await sprite.exec(
      'cd project/copy; stat -c "%U %a" run.sh; readlink sub/link; wc -c < sub/big',
    );
    expect(inside.stdout).toBe('sprite 755\n../run.sh\n3000000\n');
    const pulled = await wisp.json(['pull', 'demo', 'project/copy', dir.join('back')]);
    expect(pulled.document.data).toMatchObject({ path: dir.join('back'), member_count: 7 });
    expect(describeTree(dir.join('back'))).toEqual(describeTree(source));
  },
  LIMIT_MS,
);

test(
  'wisp push and pull put a single file where cp would',
  async () => {
    using dir = tempDir();
    fs.writeFileSync(dir.join('note'), 'text', { mode: 0o600 });
    const pathOf = async (target: string) =>
      (await wisp.json(['push', 'demo', dir.join('note'), target])).document.data.path;
    expect(await pathOf('as-this')).toBe('as-this');
    expect(await pathOf('made/')).toBe('made/note');
    expect(await pathOf('made')).toBe('made/note');
    expect((await sprite.exec('stat -c "%a" as-this made/note')).stdout).toBe('600\n600\n');
    await wisp.run(['pull', 'demo', 'made/note', dir.join('other')]);
    await wisp.run(['pull', 'demo', 'made/note', dir.join('in/')]);
    expect(describeTree(dir.path)).toEqual([
      'in/ 0755',
      'in/note 0600 "text"',
      'note 0600 "text"',
      'other 0600 "text"',
    ]);
  },
  LIMIT_MS,
);

test(
  'wisp push and pull speak tar over stdin and stdout',
  async () => {
    const tar = await tarOf(file('a', 'x'), symlink('l', 'a'));
    const pushed = await wisp.json(['push', 'demo', '-', 'unpacked'], { stdin: tar });
    expect(pushed.document.data).toEqual({ path: 'unpacked', size_bytes: tar.length });
    const { stdout, exitCode } = await wisp.run(['pull', 'demo', 'unpacked', '-']);
    expect(exitCode).toBe(0);
    const listed = spawnSync('tar', ['-t'], { input: stdout });
    expect(listed.stdout.toString().split('\n').sort()).toEqual(['', './', './a', './l']);
    const cut = await wisp.json(['push', 'demo', '-', 'cut'], { stdin: tar.subarray(0, 1024) });
    expect(cut).toMatchObject({ exitCode: 1, document: { error: { code: 'SPRITE_SYNC_FAILED' } } });
  },
  LIMIT_MS,
);

test(
  'wisp pull refuses what could reach outside, names it, and changes nothing here',
  async () => {
    using dir = tempDir();
    fs.writeFileSync(dir.join('kept'), 'kept');
    const cases = [
      ['ln -s /etc/passwd evil', 'is a symbolic link to the absolute path'],
      ['ln -s ../../.. evil', 'is a symbolic link that leaves the directory'],
      ['mkfifo evil', 'is of type FIFO'],
    ] as const;
    for (const [plant, reason] of cases) {
      await sprite.exec(`rm -rf poison; mkdir poison; cd poison; echo fine > a; ${plant}`);
      const { exitCode, document } = await wisp.json(['pull', 'demo', 'poison', dir.path]);
      expect(exitCode).toBe(2);
      expect(document.error).toMatchObject({ code: 'PATH_INVALID', details: { member: './evil' } });
      expect(document.error.message).toContain(reason);
      expect(describeTree(dir.path)).toEqual(['kept 0644 "kept"']);
    }
    const missing = await wisp.json(['pull', 'demo', 'nowhere', dir.join('new')]);
    expect(missing).toMatchObject({ exitCode: 2, document: { error: { details: { errno: 'ENOENT' } } } });
    expect(describeTree(dir.path)).toEqual(['kept 0644 "kept"']);
  },
  LIMIT_MS,
);

test(
  'the file verbs say which sprite there is not',
  async () => {
    for (const args of [
      ['fs', 'ls', 'nosuch'],
      ['fs', 'write', 'nosuch', 'x'],
      ['push', 'nosuch', '-', 'x'],
      ['pull', 'nosuch', 'x', '-'],
    ]) {
      const { exitCode, stderr } = await wisp.text(args, { stdin: 'x' });
      expect(exitCode).toBe(3);
      expect(stderr).toContain('nosuch');
    }
  },
  LIMIT_MS,
);
