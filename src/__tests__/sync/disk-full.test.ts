/** A project on a disk that gets full: a tmpfs in a mount namespace of its own, gone with its process. */
import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../helpers/temp-dir.ts';

const DRIVER = fileURLToPath(new URL('./disk-full-driver.ts', import.meta.url));

test('a full disk on the way back: the project is as it was, the changes stay in the sprite and come when there is room', () => {
  using dir = tempDir();
  const isRoot = process.getuid?.() === 0;
  const script = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" "$3" "$1" "$4"';
  const argv = ['--mount', ...(isRoot ? [] : ['--user', '--map-root-user']), 'sh', '-c', script, 'sh'];
  const sprite = tempDir();
  using _sprite = sprite;
  const done = spawnSync('unshare', [...argv, dir.path, process.execPath, DRIVER, sprite.join('project')], {
    encoding: 'utf8',
  });
  expect(done.stderr).toBe('');
  expect(JSON.parse(done.stdout)).toEqual({
    pull: 'SPRITE_SYNC_FAILED: keep what the sprite changed: there is no space left on this disk',
    afterPull: ['a', 'b'],
    leftOfPull: [],
    apply: 'SPRITE_SYNC_FAILED: keep what the sprite changed: there is no space left on this disk',
    afterApply: ['a', 'b'],
    sameAfterApply: true,
    landed: ['a', 'b', 'big'],
    isLandedWhole: true,
  });
});
