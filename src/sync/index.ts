/**
 * Project in, changes out.
 *
 *   planPush      what would leave this machine, and why the rest stays
 *   pushProject   the project into a sprite                    record: .wreckit/sync/sprites/NAME
 *   pullChanges   what the sprite changed, verified            change set: .wreckit/sync/pulls/ID
 *   landChanges   onto a branch, into the working tree, into a patch file
 *   undoLanding   the working tree as it was before a landing
 *
 * Every call first finishes a landing that a crash cut off. Nothing a sprite produced is executed or trusted.
 */
export { type BytePath, bytePathOfText, showPath } from './byte-path.ts';
export {
  type Change,
  type ChangeSet,
  isComplete,
  loadChangeSet,
  type Rejection,
  type RejectionKind,
} from './change-set.ts';
export type { EntryState } from './entry-state.ts';
export { forgetSprite } from './forget-sprite.ts';
export { type LandMode, type LandOptions, type LandResult, landChanges } from './land.ts';
export {
  type ApplyResult,
  recoverLandings,
  type UndoOptions,
  type UndoResult,
  undoLanding,
} from './land-apply.ts';
export type { BranchResult, LandedBranch } from './land-branch.ts';
export type { PatchResult } from './land-patch.ts';
export type { Journal, LandingConflict } from './landing-journal.ts';
export { type PullOptions, pullChanges } from './pull.ts';
export type { PullLimits } from './pull-limits.ts';
export { type PushOptions, type PushResult, pushProject } from './push.ts';
export {
  describeKept,
  type KeptBack,
  type PlannedEntry,
  type PushPlan,
  type PushPlanOptions,
  planPush,
} from './push-plan.ts';
export type { ReviewItem } from './review.ts';
export type { SpritePort } from './sprite-port.ts';
export type { OnSyncProgress, SyncProgress } from './sync-progress.ts';
export { type SyncStatus, syncStatus } from './sync-status.ts';
export { findUnpushed, type Unpushed } from './unpushed.ts';
export { DEFAULT_PROJECT_DIR, wispPort } from './wisp-port.ts';
