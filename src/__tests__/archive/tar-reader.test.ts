import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { readTar } from '../../archive/tar-reader.ts';
import { writeTar } from '../../archive/tar-writer.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { chunked, collect, directory, entry, file, hardlink, symlink, tarOf } from './helpers.ts';

async function members(tar: Uint8Array, chunkBytes?: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const member of readTar(chunked(tar, chunkBytes))) {
    const content = await collect(member.content);
    const link = member.linkName.length > 0 ? ` -> ${member.linkName.toString('latin1')}` : '';
    const mode = member.mode.toString(8);
    seen.push(
      `${member.type} ${member.name.toString('latin1')}${link} ${mode} ${content.toString('latin1')}`,
    );
  }
  return seen;
}

test('readTar() gives back what writeTar() wrote, across any chunk border', async () => {
  const long = `${'d/'.repeat(100)}file-with-a-long-name`;
  const tar = await tarOf(
    directory('./', 0o755),
    file('a', 'hello'),
    file(long, 'x'.repeat(1000), { mode: 0o4755 }),
    file(Buffer.from([0x66, 0xff, 0x0a]), 'bytes'),
    symlink('link', 't'.repeat(150)),
    hardlink('hard', 'a'),
    entry('empty'),
  );
  const expected = [
    'directory ./ 755 ',
    'file a 644 hello',
    `file ${long} 4755 ${'x'.repeat(1000)}`,
    'file f\xff\n 644 bytes',
    `symlink link -> ${'t'.repeat(150)} 777 `,
    'hardlink hard -> a 644 ',
    'file empty 644 ',
  ];
  for (const chunkBytes of [1, 511, 512, 513, 100_000]) {
    expect(await members(tar, chunkBytes)).toEqual(expected);
  }
});

test('readTar() reads what GNU tar writes, in its own format and in pax', async () => {
  using dir = tempDir();
  const long = 'n'.repeat(200);
  fs.writeFileSync(path.join(dir.path, long), 'content');
  fs.symlinkSync('z'.repeat(180), path.join(dir.path, 'link'));
  for (const format of ['gnu', 'pax', 'v7']) {
    if (format === 'v7') {
      fs.rmSync(path.join(dir.path, long));
      fs.rmSync(path.join(dir.path, 'link'));
      fs.writeFileSync(path.join(dir.path, 'short'), 'content');
    }
    const made = spawnSync('tar', ['-c', `--format=${format}`, '-C', dir.path, '.'], { maxBuffer: 1 << 24 });
    expect(made.status).toBe(0);
    const seen = (await members(made.stdout)).map((line) => line.replace(/ [0-7]+ /, ' '));
    expect(seen[0]).toBe('directory ./ ');
    const expected =
      format === 'v7'
        ? ['file ./short content']
        : [`file ./${long} content`, `symlink ./link -> ${'z'.repeat(180)} `];
    expect(seen.slice(1).sort()).toEqual(expected.sort());
  }
});

test('writeTar() makes what GNU tar unpacks', async () => {
  using dir = tempDir();
  const deep = `${'deep/'.repeat(40)}leaf`;
  const tar = await tarOf(file(deep, 'leaf text'), symlink('link', deep), hardlink('hard', deep));
  const unpacked = spawnSync('tar', ['-x', '-C', dir.path], { input: tar });
  expect(unpacked.stderr.toString()).toBe('');
  expect(unpacked.status).toBe(0);
  expect(fs.readFileSync(path.join(dir.path, deep), 'utf8')).toBe('leaf text');
  expect(fs.readlinkSync(path.join(dir.path, 'link'))).toBe(deep);
  expect(fs.statSync(path.join(dir.path, 'hard')).nlink).toBe(2);
});

test('writeTar() refuses content that is longer or shorter than declared', async () => {
  for (const sizeBytes of [3, 10]) {
    const tar = collect(writeTar([file('a', 'hello', { sizeBytes })]));
    await expect(tar).rejects.toMatchObject({ code: 'SPRITE_SYNC_FAILED' });
  }
});

test('readTar() skips content that was not read', async () => {
  const tar = await tarOf(file('a', 'x'.repeat(5000)), file('b', 'y'));
  const names: string[] = [];
  for await (const member of readTar(chunked(tar, 700))) names.push(member.name.toString());
  expect(names).toEqual(['a', 'b']);
});

test('readTar() refuses a stream cut off anywhere', async () => {
  const whole = await tarOf(file('a', 'x'.repeat(600)), file('b'.repeat(150), 'y'));
  const endMark = whole.length - 1024;
  for (const cutAt of [0, 100, 512, 700, 1536, 1600, 2048, 2700, endMark - 1, endMark, endMark + 511]) {
    await expect(members(whole.subarray(0, cutAt))).rejects.toMatchObject({
      code: 'SPRITE_SYNC_FAILED',
      message: expect.stringContaining('tar stream: ends'),
    });
  }
});

test('readTar() refuses what is no tar stream', async () => {
  const tar = await tarOf(file('a', 'hello'));
  const flipped = Buffer.from(tar);
  flipped[10] = 1;
  const error = { code: 'SPRITE_SYNC_FAILED' };
  await expect(members(flipped)).rejects.toMatchObject(error);
  await expect(members(Buffer.alloc(4096, 'garbage '))).rejects.toMatchObject(error);
  await expect(members(Buffer.concat([tar, Buffer.alloc(2 << 20)]))).rejects.toMatchObject({
    message: expect.stringContaining('goes on after'),
  });
});

test('readTar() caps extended headers before it reads them', async () => {
  const made = await tarOf(file('x'.repeat(150), ''));
  const huge = Buffer.from(made);
  huge.write('77777777777\0', 124, 'latin1');
  const { checksumOf } = await import('../../archive/tar-header.ts');
  huge.write(`${checksumOf(huge.subarray(0, 512)).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  await expect(members(huge)).rejects.toMatchObject({ message: expect.stringContaining('at most 1048576') });
});

test('readTar() tells its source when the reader leaves early', async () => {
  let isClosed = false;
  async function* source(tar: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      yield* chunked(tar, 600);
    } finally {
      isClosed = true;
    }
  }
  for await (const member of readTar(source(await tarOf(file('a', 'x'.repeat(9000)), file('b', ''))))) {
    expect(member.name.toString()).toBe('a');
    break;
  }
  expect(isClosed).toBe(true);
});
