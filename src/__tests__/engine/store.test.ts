import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { newRecord } from '../../engine/local/start-spec.ts';
import { ensureStateDirs, resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { SpriteStore } from '../../engine/local/store.ts';
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
