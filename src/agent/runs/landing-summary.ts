/** What became of a change set, as a document and in words. */
import { showPath } from '../../sync/byte-path.ts';
import type { LandMode, LandResult } from '../../sync/land.ts';

export interface LandingSummary {
  readonly mode: LandMode;
  /** The project's own branch, its tip and what the agent began with; null for other modes and where nothing had changed. */
  readonly branch: string | null;
  readonly commit: string | null;
  readonly base: string | null;
  /** Of submodules that were changed, too: the project's branch names their commits. */
  readonly submodule_branches: readonly {
    readonly path: string;
    readonly branch: string;
    readonly commit: string;
  }[];
  readonly files: number;
  readonly insertions: number | null;
  readonly deletions: number | null;
  readonly patch_file: string | null;
  /** For `wreckit runs undo`. */
  readonly landing_id: string | null;
  readonly conflicts: readonly {
    readonly path: string;
    readonly reason: string;
    readonly beside: string | null;
  }[];
  /** What can run code on this machine when it is next used. */
  readonly review: readonly { readonly path: string; readonly kind: string; readonly reason: string }[];
  readonly warnings: readonly string[];
}

export function landingSummary(result: LandResult): LandingSummary {
  const { mode, branch, apply, patch, review, warnings } = result;
  const own = branch?.branches.find(({ at }) => at === '') ?? branch?.branches.at(-1);
  const stat = branch?.stat ?? patch?.stat ?? null;
  return {
    mode,
    branch: own?.branch ?? null,
    commit: own?.commit ?? null,
    base: own?.snapshot ?? own?.base ?? null,
    submodule_branches: (branch?.branches ?? [])
      .filter((each) => each !== own)
      .map(({ at, branch: name, commit }) => ({ path: showPath(at), branch: name, commit })),
    files: stat?.fileCount ?? apply?.applied.length ?? 0,
    insertions: stat?.insertions ?? null,
    deletions: stat?.deletions ?? null,
    patch_file: patch?.file ?? null,
    landing_id: apply?.landingId ?? null,
    conflicts: (apply?.conflicts ?? []).map(({ path, reason, beside }) => ({
      path: showPath(path),
      reason,
      beside: beside === null ? null : showPath(beside),
    })),
    review: review.map(({ path, kind, reason }) => ({ path: showPath(path), kind, reason })),
    warnings,
  };
}

/** Commands that go on from a landing. */
export interface LandingHints {
  readonly undo: string;
  readonly landLater: string;
}

const RUN_HINTS: LandingHints = { undo: 'wreckit runs undo', landLater: 'wreckit runs land latest' };

/** Lines for people. */
export function landingLines(landing: LandingSummary, hints = RUN_HINTS): string[] {
  const {
    mode,
    branch,
    base,
    files,
    insertions,
    deletions,
    patch_file: patchFile,
    conflicts,
    review,
    submodule_branches: submodules,
    warnings,
  } = landing;
  const lines: string[] = [];
  const size = `${count(files, 'file')}${insertions === null ? '' : `, +${insertions} -${deletions ?? 0}`}`;
  if (mode === 'branch' && branch !== null) {
    lines.push(
      `branch ${branch} (${size})`,
      `  review: git diff ${base === null ? branch : `${base.slice(0, 12)}..${branch}`}`,
    );
    lines.push(`  merge:  git merge ${branch}`);
    for (const { path, branch: inner } of submodules) lines.push(`  with branch ${inner} in ${path}`);
  }
  if (mode === 'patch' && patchFile !== null)
    lines.push(`patch ${patchFile} (${size})`, `  apply:  git apply ${patchFile}`);
  if (mode === 'apply') lines.push(`applied to the working tree (${size})`, `  undo:   ${hints.undo}`);
  if (mode === 'none') lines.push(`not landed: ${hints.landLater}`);
  for (const { path, reason, beside } of conflicts) {
    lines.push(`conflict: ${path} (${reason})${beside === null ? '' : `; the sprite has ${beside}`}`);
  }
  for (const warning of warnings) lines.push(`warning: ${warning}`);
  if (review.length > 0) {
    lines.push('review before you run (these can run code here when next used):');
    for (const { path, reason } of review) lines.push(`  ${path} ${reason}`);
  }
  return lines;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
