/** One call for every way to land a change set. */
import path from 'node:path';
import type { ChangeSet } from './change-set.ts';
import { type ApplyResult, applyChanges } from './land-apply.ts';
import { type BranchResult, landBranch } from './land-branch.ts';
import { landPatch, type PatchResult } from './land-patch.ts';
import { type ReviewItem, reviewChanges } from './review.ts';

/** `branch`: a commit on a new branch. `apply`: into the working tree. `patch`: a file. `none`: kept as it is. */
export type LandMode = 'branch' | 'apply' | 'patch' | 'none';

export interface LandOptions {
  readonly changeSet: ChangeSet;
  readonly mode: LandMode;
  /** With its prefix; `wreckit/` and the change set's id when absent. */
  readonly branch?: string | undefined;
  /** Of the commit. */
  readonly message?: string | undefined;
  /** `changes.patch` in the change set's directory when absent. */
  readonly patchFile?: string | undefined;
  readonly onStep?: ((step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LandResult {
  /** What was done: outside git a branch becomes a patch. */
  readonly mode: LandMode;
  readonly branch: BranchResult | null;
  readonly apply: ApplyResult | null;
  readonly patch: PatchResult | null;
  /** What can run code here when it is next used. */
  readonly review: readonly ReviewItem[];
  readonly warnings: readonly string[];
}

/**
 * Throws `SPRITE_SYNC_FAILED` (git or the disk refuses; the working tree is as before), `USAGE` (not a name for
 * a branch), `SPRITE_BUSY` (another landing is under way).
 */
export async function landChanges(options: LandOptions): Promise<LandResult> {
  const { changeSet, signal } = options;
  const isOutsideGit = options.mode === 'branch' && changeSet.repositories.length === 0;
  const mode = isOutsideGit ? 'patch' : options.mode;
  const review = await reviewChanges(changeSet, signal);
  const warnings = isOutsideGit ? ['the project is not in git: the changes are in a patch file instead'] : [];
  const result: LandResult = { mode, branch: null, apply: null, patch: null, review, warnings };
  switch (mode) {
    case 'none':
      return result;
    case 'apply': {
      const apply = await applyChanges({ changeSet, onStep: options.onStep, signal });
      return { ...result, apply, warnings: [...warnings, ...apply.warnings] };
    }
    case 'patch': {
      const file = options.patchFile ?? path.join(changeSet.dir, 'changes.patch');
      const patch = await landPatch({ changeSet, file, signal });
      return { ...result, patch, warnings: [...warnings, ...patch.warnings] };
    }
    case 'branch': {
      const branch = await landBranch({
        changeSet,
        branch: options.branch ?? `wreckit/${changeSet.id}`,
        message: options.message ?? `Changes made in sprite ${changeSet.sprite}\n`,
        signal,
      });
      return { ...result, branch, warnings: [...warnings, ...branch.warnings] };
    }
  }
}
