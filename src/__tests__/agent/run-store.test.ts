/** Where runs are kept: in the project itself, through no link. */
import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRunId } from '../../agent/run-id.ts';
import { newRecord, RunStore } from '../../agent/runs/run-record.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function begun(root: string): { store: RunStore; create: () => void; id: string } {
  const store = new RunStore(root);
  const id = newRunId();
  const record = newRecord({ id, root, agent: 'process', sandbox: true, task: 'go' });
  return { store, id, create: () => store.create(record, { 'prompt.txt': 'go' }) };
}

test('RunStore keeps runs where git does not see them', () => {
  using dir = tempDir();
  const { store, create, id } = begun(dir.path);
  create();
  expect(store.read('latest').id).toBe(id);
  expect(existsSync(join(dir.path, '.wreckit/runs/.gitignore'))).toBe(true);
});

test.each(['.wreckit', '.wreckit/runs'])(
  'RunStore writes nothing through a link, a dangling one or a file called %s',
  async (name) => {
    using dir = tempDir();
    using elsewhere = tempDir();
    for (const put of [
      (path: string) => symlinkSync(elsewhere.path, path),
      (path: string) => symlinkSync(elsewhere.join('nothing'), path),
      (path: string) => writeFileSync(path, 'mine'),
    ]) {
      const root = dir.join(`project-${readdirSync(dir.path).length}`);
      mkdirSync(join(root, name, '..'), { recursive: true });
      put(join(root, name));
      const error = await wreckitErrorOf(begun(root).create);
      expect(error.code).toBe('SPRITE_SYNC_FAILED');
      expect(error.message).toContain('is not a directory');
      expect(error.hint).toContain('move it away');
    }
    expect(readdirSync(elsewhere.path)).toEqual([]);
  },
);
