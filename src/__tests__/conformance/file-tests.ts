import { expect } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { readTar } from '../../archive/tar-reader.ts';
import { writeTar } from '../../archive/tar-writer.ts';
import { FileEntrySchema } from '../../contract/schemas.ts';
import type { FileChange } from '../../engine/engine.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { bytesOf, piecesOf, runIn, sha256 } from './run-in.ts';
import type { Suite } from './suite.ts';

const MIB = 1024 * 1024;
const HOME = '/home/sprite';

export function fileTests({ check, shared }: Suite): void {
  check('writes and reads bytes of any kind and number', [], async ({ engine: { files } }) => {
    const path = `${HOME}/deep/er/file.bin`;
    const bytes = randomBytes(3 * MIB);
    expect(
      (await files.write(shared, path, piecesOf(bytes.subarray(0, MIB), bytes.subarray(MIB)))).sizeBytes,
    ).toBe(3 * MIB);
    expect(sha256(await bytesOf(files.read(shared, path)))).toBe(sha256(bytes));
    await files.write(shared, path, piecesOf(''));
    expect((await bytesOf(files.read(shared, path))).length).toBe(0);
    await files.remove(shared, `${HOME}/deep`, { recursive: true });
  });

  check('reads a part', ['ranges'], async ({ engine: { files } }) => {
    await files.write(shared, `${HOME}/part`, piecesOf('0123456789'));
    const part = async (start?: number, end?: number) =>
      (await bytesOf(files.read(shared, `${HOME}/part`, { start, end }))).toString();
    expect([await part(2, 5), await part(7), await part(0, 3), await part(20)]).toEqual([
      '234',
      '789',
      '012',
      '',
    ]);
    await files.remove(shared, `${HOME}/part`);
  });

  check(
    'lists a directory, or the one entry of a file; names of any kind',
    [],
    async ({ engine: { files } }) => {
      const dir = `${HOME}/listed`;
      const names = ['a b', 'ünï', "it's", '%41', 'q?x=1&y#z', '-rf', '.hidden'];
      for (const name of names) await files.write(shared, `${dir}/${name}`, piecesOf(name));
      await files.makeDir(shared, `${dir}/sub`);
      const entries = (await files.list(shared, dir)).map((entry) => FileEntrySchema.parse(entry));
      expect(entries.map(({ name }) => name).sort()).toEqual([...names, 'sub'].sort());
      expect(entries.find(({ name }) => name === 'sub')?.type).toBe('directory');
      for (const name of names) {
        expect((await bytesOf(files.read(shared, `${dir}/${name}`))).toString()).toBe(name);
        const [entry, ...others] = await files.list(shared, `${dir}/${name}`);
        expect([entry?.type, entry?.size_bytes, others.length]).toEqual(['file', Buffer.byteLength(name), 0]);
      }
      await files.remove(shared, dir, { recursive: true });
    },
  );

  check('gives a file the mode that is asked for', ['write-mode'], async ({ engine: { files } }) => {
    const modeOf = async () => (await files.list(shared, `${HOME}/mode`))[0]?.mode;
    await files.write(shared, `${HOME}/mode`, piecesOf('x'));
    expect(await modeOf()).toBe('0644');
    await files.write(shared, `${HOME}/mode`, piecesOf('x'), { mode: '0600' });
    expect(await modeOf()).toBe('0600');
    await files.chmod(shared, `${HOME}/mode`, '0755');
    expect(await modeOf()).toBe('0755');
    await files.remove(shared, `${HOME}/mode`);
  });

  check('lists trees and patterns', ['recursive-list'], async ({ engine: { files } }) => {
    const dir = `${HOME}/tree`;
    for (const path of ['a.txt', 'b.md', 'sub/c.txt'])
      await files.write(shared, `${dir}/${path}`, piecesOf('x'));
    const paths = async (options: object) =>
      (await files.list(shared, dir, options)).map(({ path }) => path.slice(dir.length)).sort();
    expect(await paths({ recursive: true })).toEqual(['/a.txt', '/b.md', '/sub', '/sub/c.txt']);
    expect(await paths({ recursive: true, pattern: '*.txt' })).toEqual(['/a.txt', '/sub/c.txt']);
    await files.remove(shared, dir, { recursive: true });
  });

  check('makes, moves and removes', [], async ({ engine: { files } }) => {
    const dir = `${HOME}/moved`;
    await files.makeDir(shared, `${dir}/a/b`);
    await files.write(shared, `${dir}/a/f`, piecesOf('x'));
    await files.move(shared, `${dir}/a/f`, `${dir}/g`);
    expect((await bytesOf(files.read(shared, `${dir}/g`))).toString()).toBe('x');
    const errnoOf = async (call: () => unknown) => {
      const { code, details } = await wreckitErrorOf(call);
      return [code, details.errno];
    };
    expect(await errnoOf(() => files.remove(shared, `${dir}/a`))).toEqual(['PATH_INVALID', 'ENOTEMPTY']);
    expect(await errnoOf(() => files.list(shared, `${dir}/none`))).toEqual(['PATH_INVALID', 'ENOENT']);
    expect(await errnoOf(() => files.move(shared, `${dir}/none`, `${dir}/x`))).toEqual([
      'PATH_INVALID',
      'ENOENT',
    ]);
    expect(await errnoOf(() => files.write(shared, `${dir}/g/under`, piecesOf('x')))).toEqual([
      'PATH_INVALID',
      'ENOTDIR',
    ]);
    await files.remove(shared, dir, { recursive: true });
    expect(await errnoOf(() => files.remove(shared, dir))).toEqual(['PATH_INVALID', 'ENOENT']);
  });

  check('says why a file cannot be read', ['read-errors'], async ({ engine: { files } }) => {
    const errnoOf = async (path: string) => {
      const { code, details } = await wreckitErrorOf(() => bytesOf(files.read(shared, path)));
      return [code, details.errno];
    };
    expect(await errnoOf(`${HOME}/none`)).toEqual(['PATH_INVALID', 'ENOENT']);
    expect(await errnoOf(HOME)).toEqual(['PATH_INVALID', 'EISDIR']);
  });

  check('copies files and trees', ['copy'], async ({ engine: { files } }) => {
    const dir = `${HOME}/copied`;
    await files.write(shared, `${dir}/from/f`, piecesOf('content'));
    expect((await files.copy(shared, `${dir}/from/f`, `${dir}/g`)).entries).toBe(1);
    expect((await files.copy(shared, `${dir}/from`, `${dir}/to`, { recursive: true })).entries).toBe(2);
    expect((await bytesOf(files.read(shared, `${dir}/to/f`))).toString()).toBe('content');
    expect((await wreckitErrorOf(() => files.copy(shared, `${dir}/from`, `${dir}/x`))).code).toBe(
      'PATH_INVALID',
    );
    await files.remove(shared, dir, { recursive: true });
  });

  check('gives files away', ['chown'], async (subject) => {
    const { files } = subject.engine;
    await files.write(shared, `${HOME}/owned`, piecesOf('x'));
    await files.chown(shared, `${HOME}/owned`, { uid: 'root', gid: 'root' }, { user: 'root' });
    expect((await runIn(subject, shared, ['stat', '-c', '%U:%G', `${HOME}/owned`])).stdout.toString()).toBe(
      'root:root\n',
    );
    await files.remove(shared, `${HOME}/owned`, { user: 'root' });
  });

  check('never follows a path out of the sprite', ['confined'], async (subject) => {
    const { files } = subject.engine;
    await runIn(
      subject,
      shared,
      `mkdir -p ${HOME}/out && ln -sfn /etc/hostname ${HOME}/out/link && ln -sfn ../../../../../../.. ${HOME}/out/up`,
    );
    const inside = (await runIn(subject, shared, ['cat', '/etc/hostname'])).stdout.toString();
    expect(inside.trim()).toBe(shared);
    for (const path of [`${HOME}/out/link`, `${HOME}/out/up/etc/hostname`, '/../../../../etc/hostname']) {
      const read = await bytesOf(files.read(shared, path)).then(
        (bytes) => bytes.toString(),
        () => inside,
      );
      expect([path, read]).toEqual([path, inside]);
    }
    await files.remove(shared, `${HOME}/out`, { recursive: true });
  });

  check('takes and gives tar streams', ['tar'], async ({ engine: { files } }) => {
    const dir = `${HOME}/tar`;
    const file = {
      name: 'sub/f.txt',
      type: 'file',
      mode: 0o755,
      mtimeSeconds: 1000,
      sizeBytes: 200_000,
    } as const;
    await files.unpack(shared, dir, writeTar([{ ...file, content: [Buffer.alloc(200_000, 'x')] }]));
    expect((await files.list(shared, `${dir}/sub`))[0]).toMatchObject({
      name: 'f.txt',
      mode: '0755',
      size_bytes: 200_000,
    });
    const members = new Map<string, number>();
    for await (const member of readTar(files.pack(shared, dir))) {
      if (member.type === 'file')
        members.set(member.name.toString().replace(/^\.\//, ''), (await bytesOf(member.content)).length);
    }
    expect([...members]).toEqual([['sub/f.txt', 200_000]]);
    await files.remove(shared, dir, { recursive: true });
  });

  check('tells what changes below a directory', ['watch-files'], async ({ engine: { files } }) => {
    const dir = `${HOME}/watched`;
    await files.makeDir(shared, dir);
    const stop = new AbortController();
    const seen: FileChange[] = [];
    let ready: () => void = () => undefined;
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const watching = (async () => {
      for await (const change of files.watch(shared, [dir], {
        recursive: true,
        onReady: ready,
        signal: stop.signal,
      })) {
        seen.push(change);
        if (change.type === 'remove') stop.abort();
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    await isReady;
    await files.write(shared, `${dir}/new`, piecesOf('x'));
    while (!seen.some(({ path }) => path.endsWith('/new')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    await files.remove(shared, `${dir}/new`);
    await watching;
    expect(seen.map(({ type }) => type)).toEqual(expect.arrayContaining(['create', 'remove']));
    await files.remove(shared, dir, { recursive: true });
  });
}
