import { expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRecord } from '../../engine/local/start-spec.ts';
import { ensureStateDirs, resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { SpriteStore } from '../../engine/local/store.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function recordOf(name: string, home: string) {
  return newRecord({
    spec: { name },
    runtime: '/usr/bin/runc',
    rootless: process.getuid?.() !== 0,
    home,
    imageDir: null,
    source: null,
    etcDirs: ['/etc'],
  });
}

test('find() sees a sprite that appears between its two looks', () => {
  using dir = tempDir();
  const dirs = resolveStateDirs({ WISP_HOME: dir.path });
  ensureStateDirs(dirs);
  const record = recordOf('demo', dirs.home);
  let isMade = false;
  const store = new (class extends SpriteStore {
    override has(name: string): boolean {
      if (!isMade) this.prepare(record);
      isMade = true;
      return super.has(name);
    }
  })(dirs);
  expect(store.find('demo')?.id).toBe(record.id);
  expect(store.find('nosuch')).toBeNull();
  rmSync(join(store.dirsOf('demo').dir, 'record.json'));
  expect(() => store.find('demo')).toThrow('ENOENT');
});

test('find() tells whose record cannot be read and what to do, apart from a closed state directory', async () => {
  using dir = tempDir();
  const dirs = resolveStateDirs({ WISP_HOME: dir.join('home') });
  ensureStateDirs(dirs);
  const store = new SpriteStore(dirs);
  const spoil: Readonly<Record<string, (name: string) => void>> = {
    empty: (name) => writeFileSync(join(dirs.sprites, name, 'record.json'), ''),
    foreign: (name) => writeFileSync(join(dirs.sprites, name, 'record.json'), '{"version":99}'),
    directory: (name) => mkdirSync(join(dirs.sprites, name, 'record.json')),
    missing: () => undefined,
  };
  for (const [name, act] of Object.entries(spoil)) {
    mkdirSync(join(dirs.sprites, name));
    act(name);
  }
  writeFileSync(join(dirs.sprites, 'file'), '');
  for (const name of [...Object.keys(spoil), 'file']) {
    const { code, message, hint } = await wreckitErrorOf(() => store.read(name));
    expect([code, hint]).toEqual([
      'INTERNAL',
      `look at ${join(dirs.sprites, name)}, or remove the sprite: wreckit sprite kill ${name}`,
    ]);
    expect(message).toStartWith(`sprite "${name}": its record cannot be read: `);
  }
  const closed = new SpriteStore(resolveStateDirs({ WISP_HOME: join(dirs.sprites, 'file') }));
  expect((await wreckitErrorOf(() => closed.read('demo'))).code).toBe('ENGINE_UNAVAILABLE');
});
