import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { toWreckitError } from '../../errors.ts';
import { execIn, localEngine } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { tinyImage } from '../helpers/tiny-image.ts';

test("start() with an image directory has its files, not the host's, and leaves it as it is", async () => {
  using dir = tempDir();
  await using local = localEngine();
  const image = tinyImage(dir.path);
  const { sprite } = await local.engine.start({ name: 'demo', image });
  expect(sprite.image).toBe(image);
  const { stdout } = await execIn(
    local.engine,
    'demo',
    'cat /etc/os-release; ls /usr/bin; echo changed > /home/sprite/x; id -un',
  );
  expect(stdout).toBe('NAME=Tiny\nsprite\n');
  await execIn(local.engine, 'demo', 'echo changed > /etc/os-release; rm /bin/ls', { user: 'root' });
  expect(readFileSync(join(image, 'etc/os-release'), 'utf8')).toBe('NAME=Tiny\n');
  expect(readdirSync(join(image, 'bin'))).toContain('ls');
});

test('start() with an image archive unpacks it once, also for two at the same time', async () => {
  using dir = tempDir();
  using out = tempDir();
  await using local = localEngine();
  const archive = out.join('image.tar');
  spawnSync('tar', ['-C', tinyImage(dir.path), '-cf', archive, '.']);
  await Promise.all(['one', 'two'].map((name) => local.engine.start({ name, image: archive })));
  expect((await execIn(local.engine, 'two', 'cat /etc/os-release')).stdout).toBe('NAME=Tiny\n');
  expect(readdirSync(join(local.home, 'images')).length).toBe(1);
  await local.engine.stop('two');
  expect((await execIn(local.engine, 'two', 'cat /etc/os-release')).stdout).toBe('NAME=Tiny\n');
  expect((await local.engine.start({ name: 'one', image: archive })).created).toBe(false);
});

test('start() does not read the host through links in an image', async () => {
  using dir = tempDir();
  await using local = localEngine();
  const image = tinyImage(dir.path);
  unlinkSync(join(image, 'etc/passwd'));
  symlinkSync('/etc/shadow', join(image, 'etc/passwd'));
  await local.engine.start({ name: 'demo', image });
  const { stdout } = await execIn(local.engine, 'demo', 'cat /etc/passwd', { user: 'root' });
  expect(stdout.split('\n').map((line) => line.split(':')[0])).toEqual(['sprite', 'root', '']);
});

test('start() refuses what is no root file system', async () => {
  using dir = tempDir();
  await using local = localEngine();
  const cases: [image: string, message: string][] = [
    [dir.path, 'neither /bin nor /usr'],
    ['', 'image: there is no ""'],
    ['/dev/zero', 'neither a directory nor a regular file'],
  ];
  for (const [image, message] of cases) {
    const error = await local.engine.start({ name: 'demo', image }).then(() => null, toWreckitError);
    expect(error?.code).toBe('SPRITE_START_FAILED');
    expect(error?.message).toContain(message);
  }
  expect(await local.engine.list()).toEqual([]);
});

test('start() is over only when a command has run in it', async () => {
  using dir = tempDir();
  await using local = localEngine();
  const image = tinyImage(dir.path);
  copyFileSync(join(image, 'bin/true'), join(image, 'bin/sh'));
  const error = await local.engine.start({ name: 'demo', image }).then(() => null, toWreckitError);
  expect(error?.code).toBe('SPRITE_START_FAILED');
  expect(error?.message).toBe('container: a first command did not run in it');
  expect(await local.engine.list()).toEqual([]);
  // Closed to everybody but root: the sprite's user could run nothing.
  copyFileSync('/bin/sh', join(image, 'bin/sh'));
  chmodSync(join(image, 'bin'), 0o700);
  const closed = await local.engine.start({ name: 'demo', image }).then(() => null, toWreckitError);
  expect(closed?.code).toBe(process.getuid?.() === 0 ? 'SPRITE_START_FAILED' : undefined);
});
