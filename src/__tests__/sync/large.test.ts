import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { commitAll, git, initGit, place, write } from './project.ts';

const DRIVER = fileURLToPath(new URL('./large-driver.ts', import.meta.url));
const MIB = 1024 ** 2;

test('a file beyond 2 GiB goes there and back and lands, with at most 160 MiB of memory', () => {
  using at = place();
  initGit(at.root);
  write(at.root, { a: '1' });
  commitAll(at.root);
  const big = path.join(at.root, 'big');
  fs.writeFileSync(big, 'begin');
  fs.truncateSync(big, 2049 * MIB);
  const done = spawnSync(process.execPath, [DRIVER, at.root, at.inside], { encoding: 'utf8' });
  expect(done.stderr).toBe('');
  expect(Number(done.stdout)).toBeLessThan(160 * MIB);
  expect(fs.statSync(big).size).toBe(2049 * MIB + 7);
  expect(git(at.root, 'branch', '--list', 'wreckit/*')).not.toBe('');
}, 400_000);

test('10,000 files: pushed, one changed, one pulled', async () => {
  using at = place();
  for (let index = 0; index < 10_000; index += 1) {
    if (index < 100) fs.mkdirSync(path.join(at.root, `d${index}`));
    fs.writeFileSync(path.join(at.root, `d${index % 100}`, `f${index}`), `${index}\n`);
  }
  expect((await pushProject({ root: at.root, port: at.port })).fileCount).toBe(10_000);
  write(at.inside, { 'd7/f4207': 'changed\n' });
  const { changes } = await pullChanges({ root: at.root, port: at.port });
  expect(changes.map(({ path: name }) => name)).toEqual(['d7/f4207']);
  write(at.root, { 'd1/f1': 'changed\n' });
  expect((await pushProject({ root: at.root, port: at.port })).sentCount).toBe(1);
}, 120_000);
