import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HeldSprite, LocalCheckpoints } from '../../engine/local/checkpoints.ts';
import { spriteDirs } from '../../engine/local/sprite-dirs.ts';
import { toWreckitError } from '../../errors.ts';
import { execIn, localSprite } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';

test('restore() brings the files back, puts the present state aside and ends the sessions', async () => {
  await using sprite = await localSprite();
  const { checkpoints } = sprite.engine;
  await sprite.exec('echo one > note');
  const saved = await checkpoints.create('demo', { comment: 'first' });
  expect(saved).toMatchObject({ id: 'v1', comment: 'first', is_auto: false });
  await sprite.exec('echo two > note; echo new > other');
  const { backup } = await checkpoints.restore('demo', 'v1');
  expect((await sprite.exec('cat note; ls')).stdout).toBe('one\nnote\nproject\n');
  expect(backup).toMatchObject({ id: 'pre-restore-v1', is_auto: true });
  await checkpoints.restore('demo', backup.id);
  expect((await sprite.exec('cat note')).stdout).toBe('two\n');
  expect((await checkpoints.list('demo')).map(({ id }) => id)).toEqual([
    'v1',
    'pre-restore-v1',
    'pre-restore-pre-restore-v1',
  ]);
});

test('create() does not end what runs, and keeps what root wrote to system directories', async () => {
  await using sprite = await localSprite();
  const { checkpoints } = sprite.engine;
  await sprite.exec('echo mine > /etc/mine; rm /etc/issue; true', { user: 'root' });
  await using _session = await sprite.engine.openSession('demo', { command: ['sleep', '60'] });
  await checkpoints.create('demo');
  expect((await sprite.exec('cat /proc/[0-9]*/cmdline | tr "\\0" " "')).stdout).toContain('sleep 60');
  await sprite.exec('rm /etc/mine', { user: 'root' });
  await checkpoints.restore('demo', 'v1');
  const { stdout } = await sprite.exec('cat /etc/mine; ls /etc/issue 2>/dev/null; true');
  if (process.getuid?.() === 0) expect(stdout).toBe('mine\n');
});

test("create() comes in no command's way that begins meanwhile", async () => {
  await using sprite = await localSprite();
  await sprite.exec('head -c 30000000 /dev/zero > large');
  let isOver = false;
  const saving = (async () => {
    for (let count = 0; !isOver && count < 50; count += 1) {
      const { id } = await sprite.engine.checkpoints.create('demo');
      await sprite.engine.checkpoints.remove('demo', id);
    }
  })();
  const commands = async (index: number) => {
    const outputs: string[] = [];
    for (let count = 0; count < 10; count += 1) outputs.push((await sprite.exec(`echo ${index}`)).stdout);
    return outputs;
  };
  const results: string[][] = await Promise.all([1, 2, 3].map(commands));
  for (let count = 0; count < 10; count += 1) {
    expect(await sprite.engine.files.list('demo', '/home/sprite')).toHaveLength(2);
  }
  isOver = true;
  await saving;
  expect(results).toEqual([1, 2, 3].map((index) => Array.from({ length: 10 }, () => `${index}\n`)));
}, 90_000);

test('remove() deletes a checkpoint; unknown ones and bad ids are not found', async () => {
  await using sprite = await localSprite();
  const { checkpoints } = sprite.engine;
  await checkpoints.create('demo');
  await checkpoints.create('demo');
  await checkpoints.remove('demo', 'v2');
  await checkpoints.remove('demo', 'v1');
  expect(await checkpoints.list('demo')).toEqual([]);
  for (const id of ['v1', '../../x', '', '-rf']) {
    const error = await checkpoints.restore('demo', id).then(() => null, toWreckitError);
    expect(error?.code).toBe('CHECKPOINT_NOT_FOUND');
  }
});

test('a removal that was interrupted is none of the checkpoints, and is finished with the next change', async () => {
  await using sprite = await localSprite();
  const { checkpoints } = sprite.engine;
  await checkpoints.create('demo');
  const dir = join(sprite.home, 'sprites', 'demo', 'checkpoints');
  renameSync(join(dir, 'v1'), join(dir, '.v1.deleted'));
  expect(await checkpoints.list('demo')).toEqual([]);
  await checkpoints.create('demo', { comment: 'next' });
  expect(readdirSync(dir)).toEqual(['v1']);
});

test('create() gives no id again that a removed checkpoint had', async () => {
  await using sprite = await localSprite();
  const { checkpoints } = sprite.engine;
  const create = async () => (await checkpoints.create('demo')).id;
  expect([await create(), await create()]).toEqual(['v1', 'v2']);
  await checkpoints.restore('demo', 'v2');
  await checkpoints.remove('demo', 'v2');
  await checkpoints.remove('demo', 'v1');
  expect([await create(), await create()]).toEqual(['v3', 'v4']);
  expect((await checkpoints.get('demo', 'v3')).source_id).toBe('v2');
});

test('a copy of a sprite or of its checkpoint has its own name and goes its own way', async () => {
  await using sprite = await localSprite({ labels: { team: 'a' }, env: { COLOUR: 'red' } });
  const { engine } = sprite;
  await sprite.exec('echo one > note');
  await engine.checkpoints.create('demo');
  await sprite.exec('echo two > note');
  await engine.start({ name: 'live', from: 'demo' });
  await engine.start({ name: 'old', from: 'demo@v1' });
  await sprite.exec('echo three > note');
  const look = 'cat note; hostname; echo $COLOUR';
  expect((await execIn(engine, 'live', look)).stdout).toBe('two\nlive\nred\n');
  expect((await execIn(engine, 'old', look)).stdout).toBe('one\nold\nred\n');
  expect((await execIn(engine, 'live', 'cat /etc/hostname /etc/machine-id')).stdout).not.toBe(
    (await execIn(engine, 'demo', 'cat /etc/hostname /etc/machine-id')).stdout,
  );
  expect((await engine.info('live')).labels).toEqual({ team: 'a' });
});

test('a copy does not follow what its source planted where its own name is written', async () => {
  await using sprite = await localSprite();
  await sprite.exec('rm -f /etc/hostname; ln -s /tmp/target /etc/hostname', { user: 'root' });
  await sprite.engine.start({ name: 'copy', from: 'demo' });
  expect((await execIn(sprite.engine, 'copy', 'cat /etc/hostname; ls /tmp')).stdout).toBe('copy\n');
});

test('restore() that fails once the sprite is down leaves its disk in place, and brings it up again', async () => {
  using dir = tempDir();
  const dirs = spriteDirs(dir.path);
  for (const place of [dirs.disk, join(dirs.dir, 'checkpoints/v1')]) {
    for (const part of ['rootfs', 'upper']) mkdirSync(join(place, part), { recursive: true });
  }
  writeFileSync(join(dirs.disk, 'rootfs/present'), '');
  const description = { created_at: '2026-01-01T00:00:00Z', size_bytes: 1 };
  writeFileSync(join(dirs.dir, 'checkpoints/v1/checkpoint.json'), JSON.stringify(description));
  const steps: string[] = [];
  const held: HeldSprite = {
    ...{ dirs, running: null, freezer: null, isFrozen: false },
    down: async () => void steps.push('down'),
    up: async () => void steps.push('up'),
    measure: async () => {
      steps.push('measure');
      throw new Error('the disk is full');
    },
  };
  const checkpoints = new LocalCheckpoints(
    (_name, _waiting, use) => use(held),
    () => dirs,
  );
  await expect(checkpoints.restore('demo', 'v1')).rejects.toThrow('the disk is full');
  expect(steps).toEqual(['down', 'measure', 'up']);
  expect(existsSync(join(dirs.disk, 'rootfs/present'))).toBe(true);
  expect(existsSync(`${dirs.disk}.new`)).toBe(false);
  expect((await checkpoints.list('demo')).map(({ id }) => id)).toEqual(['v1']);
});
