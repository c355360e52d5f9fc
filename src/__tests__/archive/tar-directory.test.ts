import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { extractSafely } from '../../archive/safe-extract.ts';
import { tarDirectory, tarFile } from '../../archive/tar-directory.ts';
import { writeTar } from '../../archive/tar-writer.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { collect, describeTree } from './helpers.ts';

test('tarDirectory() carries a tree that extractSafely() gives back whole', async () => {
  using dir = tempDir();
  const source = path.join(dir.path, 'source');
  fs.mkdirSync(path.join(source, 'sub', 'deep'), { recursive: true });
  fs.writeFileSync(path.join(source, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  fs.writeFileSync(path.join(source, '-rf'), 'dash');
  fs.writeFileSync(path.join(source, 'new\nline'), 'nl');
  fs.writeFileSync(path.join(source, 'big'), Buffer.alloc(700_000, 'big '));
  fs.symlinkSync('sub/deep', path.join(source, 'link'));
  fs.linkSync(path.join(source, '-rf'), path.join(source, 'sub', 'hard'));
  const target = path.join(dir.path, 'target');
  await extractSafely(writeTar(tarDirectory(source)), target);
  expect(describeTree(target)).toEqual(describeTree(source));
  expect(fs.statSync(path.join(target, '-rf')).nlink).toBe(2);
});

test('tarDirectory() names what it skips and goes on', async () => {
  using dir = tempDir();
  fs.writeFileSync(path.join(dir.path, 'file'), 'x');
  expect(spawnSync('mkfifo', [path.join(dir.path, 'fifo')]).status).toBe(0);
  const skipped: string[] = [];
  const names: string[] = [];
  for await (const entry of tarDirectory(dir.path, { onSkipped: (name) => skipped.push(name.toString()) })) {
    names.push(entry.name.toString());
  }
  expect(skipped).toEqual(['fifo']);
  expect(names).toEqual(['./', 'file']);
});

test('tarDirectory() and tarFile() refuse what is not there', async () => {
  using dir = tempDir();
  const missing = path.join(dir.path, 'missing');
  const refused = { code: 'PATH_INVALID', details: { errno: 'ENOENT' } };
  await expect(collect(writeTar(tarDirectory(missing)))).rejects.toMatchObject(refused);
  await expect(collect(writeTar(tarFile(missing)))).rejects.toMatchObject(refused);
  await expect(collect(writeTar(tarFile(dir.path)))).rejects.toMatchObject({ code: 'PATH_INVALID' });
});

test('tarFile() follows a link to its file and keeps the name given', async () => {
  using dir = tempDir();
  fs.writeFileSync(path.join(dir.path, 'real'), 'text');
  fs.symlinkSync('real', path.join(dir.path, 'alias'));
  const target = path.join(dir.path, 'out/');
  await extractSafely(writeTar(tarFile(path.join(dir.path, 'alias'))), target);
  expect(describeTree(target)).toEqual(['alias 0644 "text"']);
});
