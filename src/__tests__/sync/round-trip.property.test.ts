/** Random trees, random edits on both sides. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { landChanges } from '../../sync/land.ts';
import { undoLanding } from '../../sync/land-apply.ts';
import { pullChanges } from '../../sync/pull.ts';
import { pushProject } from '../../sync/push.ts';
import { commitAll, git, initGit, place, treeOf, treeOfCommit } from './project.ts';
import { applyEdits, type Edit, edits } from './random-tree.ts';

const TIMEOUT_MS = 120_000;
/** More of them by hand: WRECKIT_TEST_PROPERTY_RUNS=500. */
const RUNS = Number(process.env.WRECKIT_TEST_PROPERTY_RUNS ?? 12);

async function property(check: (...lists: Edit[][]) => Promise<void>, listCount: number): Promise<void> {
  const lists = fc.tuple(...Array.from({ length: listCount }, () => edits));
  await fc.assert(
    fc.asyncProperty(lists, (drawn) => check(...drawn)),
    { numRuns: RUNS },
  );
}

/** In git with some of it committed, or outside git. */
function build(root: string, committed: readonly Edit[], uncommitted: readonly Edit[]): void {
  if (committed.length % 3 !== 0) initGit(root);
  applyEdits(root, committed);
  if (committed.length % 3 !== 0) commitAll(root);
  applyEdits(root, uncommitted);
}

test(
  '`pushProject()` then `pullChanges()` is identity: the same tree there, and nothing to land',
  async () => {
    await property(async (committed = [], uncommitted = []) => {
      using at = place();
      build(at.root, committed, uncommitted);
      const before = treeOf(at.root);
      const pushed = await pushProject({ root: at.root, port: at.port });
      expect(treeOf(at.inside)).toEqual(before);
      expect(pushed.fileCount).toBe(before.size);
      const changeSet = await pullChanges({ root: at.root, port: at.port });
      expect(changeSet.changes).toEqual([]);
      expect(changeSet.rejected).toEqual([]);
      const again = await pushProject({ root: at.root, port: at.port });
      expect(again.sentCount).toBe(0);
      expect(treeOf(at.root)).toEqual(before);
    }, 2);
  },
  TIMEOUT_MS,
);

test(
  '`pushProject()` a second time makes the sprite what the project is now',
  async () => {
    await property(async (committed = [], uncommitted = [], later = []) => {
      using at = place();
      build(at.root, committed, uncommitted);
      await pushProject({ root: at.root, port: at.port });
      applyEdits(at.root, later);
      await pushProject({ root: at.root, port: at.port });
      expect(treeOf(at.inside)).toEqual(treeOf(at.root));
      const changeSet = await pullChanges({ root: at.root, port: at.port });
      expect(changeSet.changes).toEqual([]);
    }, 3);
  },
  TIMEOUT_MS,
);

test(
  '`landChanges()` in the working tree makes an untouched project what the sprite is, and undo takes it back',
  async () => {
    await property(async (committed = [], uncommitted = [], theirs = []) => {
      using at = place();
      build(at.root, committed, uncommitted);
      const before = treeOf(at.root);
      await pushProject({ root: at.root, port: at.port });
      applyEdits(at.inside, theirs);
      const changeSet = await pullChanges({ root: at.root, port: at.port });
      const landed = await landChanges({ changeSet, mode: 'apply' });
      expect(landed.apply?.conflicts).toEqual([]);
      expect(treeOf(at.root)).toEqual(
        without(
          treeOf(at.inside),
          changeSet.rejected.map(({ path }) => path),
          before,
        ),
      );
      const again = await pullChanges({ root: at.root, port: at.port });
      expect(again.changes).toEqual([]);
      if (landed.apply?.landingId == null) return;
      await undoLanding({ root: at.root });
      expect(treeOf(at.root)).toEqual(before);
      const offered = await pullChanges({ root: at.root, port: at.port });
      expect(offered.changes.map(({ path }) => path)).toEqual(changeSet.changes.map(({ path }) => path));
    }, 3);
  },
  TIMEOUT_MS,
);

test(
  '`landChanges()` never loses an edit of the host, and is idempotent',
  async () => {
    await property(async (committed = [], uncommitted = [], theirs = [], ours = []) => {
      using at = place();
      build(at.root, committed, uncommitted);
      await pushProject({ root: at.root, port: at.port });
      const pushed = treeOf(at.root);
      applyEdits(at.inside, theirs);
      applyEdits(at.root, ours);
      const here = treeOf(at.root);
      const changeSet = await pullChanges({ root: at.root, port: at.port });
      const landed = await landChanges({ changeSet, mode: 'apply' });
      const after = treeOf(at.root);
      const merged = new Set(landed.apply?.merged);
      for (const [name, what] of here) {
        // Edited here: it is still there, to the byte, or was merged line by line.
        if (pushed.get(name) === what || merged.has(name)) continue;
        const isModeOnly = contentOf(pushed.get(name)) === contentOf(what);
        if (isModeOnly) expect(modeOf(after.get(name))).toBe(modeOf(what));
        else expect(contentOf(after.get(name))).toBe(contentOf(what));
      }
      // Deleted here: nothing of the sprite takes its place.
      for (const name of pushed.keys()) {
        if (!here.has(name) && !isBelowNew(name, here))
          expect(after.has(name) && !theirsOnly(changeSet, name)).toBe(false);
      }
      // Nothing of the sprite is lost either: each of its versions is at its path, beside it, or merged.
      const there = new Set([...after.values()].map(contentOf));
      for (const { path: name, after: state } of changeSet.changes) {
        if (state?.kind !== 'file' || merged.has(name)) continue;
        expect(there.has(`${state.sizeBytes} ${state.sha256.slice(0, 16)}`)).toBe(true);
      }
      const again = await landChanges({
        changeSet: await pullChanges({ root: at.root, port: at.port }),
        mode: 'apply',
      });
      expect(again.apply?.applied).toEqual([]);
      expect(treeOf(at.root)).toEqual(after);
      if (landed.apply?.landingId == null) return;
      await undoLanding({ root: at.root });
      expect(treeOf(at.root)).toEqual(here);
    }, 4);
  },
  TIMEOUT_MS,
);

test(
  '`landChanges()` on a branch holds exactly the changes, and touches neither tree, index nor HEAD',
  async () => {
    await property(async (committed = [], uncommitted = [], theirs = [], ours = []) => {
      using at = place();
      initGit(at.root);
      applyEdits(at.root, committed);
      const head = commitAll(at.root);
      applyEdits(at.root, uncommitted);
      await pushProject({ root: at.root, port: at.port });
      const pushed = treeOf(at.root);
      applyEdits(at.inside, theirs);
      applyEdits(at.root, ours);
      const before = { tree: treeOf(at.root), git: stateOf(at.root) };
      const changeSet = await pullChanges({ root: at.root, port: at.port });
      const landed = await landChanges({ changeSet, mode: 'branch', branch: 'wreckit/x' });
      expect({ tree: treeOf(at.root), git: stateOf(at.root) }).toEqual(before);
      const branch = landed.branch?.branches[0];
      expect(branch === undefined).toBe(changeSet.changes.length === 0);
      if (branch === undefined) return;
      const parent = treeOfCommit(at.root, `${branch.commit}^`);
      const tip = treeOfCommit(at.root, branch.commit);
      const committedTree = treeOfCommit(at.root, head);
      for (const { path: name } of changeSet.changes) {
        expect(parent.get(name)).toBe(pushed.get(name));
        expect(tip.get(name)).toBe(treeOf(at.inside).get(name));
      }
      const touched = new Set(changeSet.changes.map(({ path }) => path));
      for (const name of new Set([...tip.keys(), ...committedTree.keys()])) {
        if (touched.has(name)) continue;
        // A path that gave way to a changed one below or above it is part of the change.
        if ([...touched].some((other) => other.startsWith(`${name}/`) || name.startsWith(`${other}/`)))
          continue;
        expect(tip.get(name)).toBe(committedTree.get(name));
      }
    }, 4);
  },
  TIMEOUT_MS,
);

function contentOf(what: string | undefined): string | undefined {
  return what?.replace(/^-rwx? /, '');
}

function modeOf(what: string | undefined): string | undefined {
  return what?.split(' ')[0];
}

function isBelowNew(name: string, here: ReadonlyMap<string, string>): boolean {
  return [...here.keys()].some((other) => name.startsWith(`${other}/`));
}

/** Made anew by the sprite after it was renamed there: the record has it as new. */
function theirsOnly(changeSet: Awaited<ReturnType<typeof pullChanges>>, name: string): boolean {
  return changeSet.changes.some(({ path, before }) => path === name && before === null);
}

function without(
  tree: ReadonlyMap<string, string>,
  rejected: readonly string[],
  before: ReadonlyMap<string, string>,
): Map<string, string> {
  const expected = new Map(tree);
  for (const name of rejected) {
    const old = before.get(name);
    if (old === undefined) expected.delete(name);
    else expected.set(name, old);
  }
  return new Map([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function stateOf(root: string): string {
  return git(root, 'status', '--porcelain=v2', '--branch', '-z');
}
