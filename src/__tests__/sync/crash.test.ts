/** kill -9 at every step of a landing and of its undo: each file is old or new, and the next command goes on. */
import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadChangeSet } from '../../sync/change-set.ts';
import { landChanges } from '../../sync/land.ts';
import { applyChanges, recoverLandings, undoLanding } from '../../sync/land-apply.ts';
import { listJournals } from '../../sync/landing-journal.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { openSyncDir } from '../../sync/sync-dir.ts';
import { type Place, place, treeOf, write } from './project.ts';

const DRIVER = fileURLToPath(new URL('./landing-driver.ts', import.meta.url));

interface Scene {
  readonly at: Place;
  readonly changesDir: string;
  readonly old: Map<string, string>;
  readonly new: Map<string, string>;
}

/** Replaced, deleted, added, linked, made a program, and a file and a directory that change places. */
async function scene(): Promise<Scene> {
  const at = place();
  write(at.root, { a: 'old a', gone: 'old gone', 'dir/deep/x': 'old x', file: 'old file', tool: 'old tool' });
  fs.symlinkSync('a', path.join(at.root, 'link'));
  await pushProject({ root: at.root, port: at.port });
  write(at.inside, { a: 'new a', 'added/here/y': 'new y' });
  for (const name of ['gone', 'dir', 'file', 'link'])
    fs.rmSync(path.join(at.inside, name), { recursive: true });
  write(at.inside, { dir: 'new dir', 'file/z': 'new z' });
  fs.symlinkSync('tool', path.join(at.inside, 'link'));
  fs.chmodSync(path.join(at.inside, 'tool'), 0o755);
  const changeSet = await pullChanges({ root: at.root, port: at.port });
  return { at, changesDir: changeSet.dir, old: treeOf(at.root), new: treeOf(at.inside) };
}

/** Steps taken before the end; killed at step `killAt`, counted from 0. */
function drive(verb: 'apply' | 'undo' | 'recover', { at, changesDir }: Scene, killAt: number): string[] {
  const done = spawnSync(process.execPath, [DRIVER, verb, at.root, changesDir, String(killAt)], {
    encoding: 'utf8',
  });
  const steps = done.stdout.split('\n').filter((line) => line !== '');
  if (killAt >= 0 && done.signal !== 'SIGKILL') throw new Error(`not killed: ${done.stderr}`);
  if (killAt < 0 && done.status !== 0) throw new Error(done.stderr);
  return steps;
}

function expectOldOrNew({ at, old, new: now }: Scene): void {
  for (const [name, what] of treeOf(at.root)) expect([old.get(name), now.get(name)]).toContain(what);
  for (const [name, what] of old) {
    // There in both: never missing, not for a moment.
    if (now.has(name) && !what.startsWith('l')) expect(treeOf(at.root).has(name)).toBe(true);
  }
}

async function stepsOf(verb: 'apply' | 'undo'): Promise<string[]> {
  const made = await scene();
  using _at = made.at;
  if (verb === 'undo') drive('apply', made, -1);
  return drive(verb, made, -1);
}

describe('kill -9 of a landing', () => {
  test('at every step: each file is old or new; the next command finishes it; undo puts everything back', async () => {
    const steps = await stepsOf('apply');
    expect(steps.length).toBeGreaterThan(15);
    for (let killAt = 0; killAt < steps.length; killAt += 1) {
      const made = await scene();
      using at = made.at;
      expect(drive('apply', made, killAt)).toHaveLength(killAt + 1);
      expectOldOrNew(made);
      const hasBegun = steps[killAt] !== 'journal begun';
      expect(await recoverLandings(at.root)).toHaveLength(hasBegun ? 1 : 0);
      expect(treeOf(at.root)).toEqual(hasBegun ? made.new : made.old);
      const changeSet = await pullChanges({ root: at.root, port: at.port });
      const { apply } = await landChanges({ changeSet, mode: 'apply' });
      expect(apply?.conflicts).toEqual([]);
      expect(treeOf(at.root)).toEqual(made.new);
      await undoLanding({ root: at.root });
      expect(treeOf(at.root)).toEqual(made.old);
    }
  }, 120_000);

  test('twice: a recovery that is killed is carried on by the next', async () => {
    const steps = await stepsOf('apply');
    const killAt = Math.floor(steps.length / 2);
    for (let second = 0; second < 6; second += 1) {
      const made = await scene();
      using at = made.at;
      drive('apply', made, killAt);
      drive('recover', made, second);
      expectOldOrNew(made);
      await recoverLandings(at.root);
      expect(treeOf(at.root)).toEqual(made.new);
    }
  }, 120_000);

  test('leaves a push in between what it is: it sees the finished landing', async () => {
    const made = await scene();
    using at = made.at;
    drive('apply', made, 8);
    await pushProject({ root: at.root, port: at.port });
    expect(treeOf(at.root)).toEqual(made.new);
    expect(treeOf(at.inside)).toEqual(made.new);
  });

  test('is finished by the next landing before it begins', async () => {
    const made = await scene();
    using at = made.at;
    drive('apply', made, 8);
    const { conflicts } = await applyChanges({ changeSet: loadChangeSet(made.changesDir) });
    expect(conflicts).toEqual([]);
    expect(treeOf(at.root)).toEqual(made.new);
    expect(listJournals(openSyncDir(at.root)).map(({ state }) => state)).toEqual(['done']);
  });

  test('an edit made after the crash stays', async () => {
    const made = await scene();
    using at = made.at;
    drive('apply', made, 1);
    write(at.root, { a: 'edited after the crash' });
    await recoverLandings(at.root);
    expect(fs.readFileSync(path.join(at.root, 'a'), 'utf8')).toBe('edited after the crash');
    expect(fs.readFileSync(path.join(at.root, 'a.sprite'), 'utf8')).toBe('new a');
  });

  test('what was staged and never begun is removed by the next landing', async () => {
    const made = await scene();
    using at = made.at;
    drive('apply', made, 0);
    const dir = path.join(at.root, '.wreckit/sync/landings');
    expect(fs.readdirSync(dir)).toHaveLength(1);
    drive('apply', made, -1);
    expect(listJournals(openSyncDir(at.root)).map(({ state }) => state)).toEqual(['done']);
    expect(fs.readdirSync(dir)).toHaveLength(1);
  });
});

describe('a disk that refuses', () => {
  test('at every step: everything is as before, also what changed places, and it lands later', async () => {
    const steps = await stepsOf('apply');
    for (let failAt = 0; failAt < steps.length; failAt += 1) {
      const made = await scene();
      using at = made.at;
      let count = 0;
      const onStep = (): void => {
        count += 1;
        if (count === failAt + 1) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      };
      const changeSet = loadChangeSet(made.changesDir);
      await expect(applyChanges({ changeSet, onStep })).rejects.toMatchObject({ code: 'SPRITE_SYNC_FAILED' });
      expect(treeOf(at.root)).toEqual(made.old);
      expect(await recoverLandings(at.root)).toEqual([]);
      await applyChanges({ changeSet });
      expect(treeOf(at.root)).toEqual(made.new);
    }
  }, 120_000);
});

describe('kill -9 of an undo', () => {
  test('at every step: each file is old or new, and the next command finishes it', async () => {
    const steps = await stepsOf('undo');
    for (let killAt = 0; killAt < steps.length; killAt += 1) {
      const made = await scene();
      using at = made.at;
      drive('apply', made, -1);
      drive('undo', made, killAt);
      expectOldOrNew(made);
      await recoverLandings(at.root);
      const hasBegun = steps[killAt] !== 'journal begun';
      expect(treeOf(at.root)).toEqual(hasBegun ? made.old : made.new);
      if (!hasBegun) await undoLanding({ root: at.root });
      await expect(undoLanding({ root: at.root })).rejects.toThrow('no landing is left to undo');
      expect(treeOf(at.root)).toEqual(made.old);
    }
  }, 120_000);
});
