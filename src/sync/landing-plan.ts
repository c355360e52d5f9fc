/** What a change set means for the project as it is now: operations, conflicts, and content staged for them. */
import fs from 'node:fs';
import path from 'node:path';
import { besideName, freeNameBeside } from './beside-name.ts';
import { type BytePath, comparePaths, hostPath, parentsOf } from './byte-path.ts';
import { blobFile, type Change, type ChangeSet } from './change-set.ts';
import { contentBefore } from './content-before.ts';
import { type EntryState, isSameContent } from './entry-state.ts';
import { giveToOwnerOf } from './file-owner.ts';
import { entryOf, type HostState, hostStateOf, lstatOf } from './host-state.ts';
import type {
  LandingConflict,
  Operation,
  OperationAfter,
  OperationBefore,
  RecordedDirectory,
} from './landing-journal.ts';
import { isFreed } from './making-room.ts';
import { mergeText } from './merge-text.ts';
import { isWreckitSettings } from './path-safety.ts';
import { hashContent, openFile, WHOLE_FILE_BYTES } from './read-content.ts';
import { type ConflictReason, decide } from './three-way.ts';

export interface LandingPlan {
  readonly operations: readonly Operation[];
  readonly makeDirs: readonly RecordedDirectory[];
  readonly removeDirs: readonly RecordedDirectory[];
  readonly conflicts: readonly LandingConflict[];
  /** Changed on both sides, merged line by line. */
  readonly merged: readonly BytePath[];
  /** Already as in the sprite. */
  readonly sameCount: number;
}

export interface LandingPlanOptions {
  readonly changeSet: ChangeSet;
  /** The landing's directory; content goes to `after/` in it. */
  readonly dir: string;
  /** Two names that differ in case only are one file here. */
  readonly ignoresCase: boolean;
  readonly signal?: AbortSignal | undefined;
}

export async function planLanding(options: LandingPlanOptions): Promise<LandingPlan> {
  const planner = new Planner(options);
  const { changes } = options.changeSet;
  // Deletions first: they make room for what takes their place.
  for (const change of changes) if (change.after === null) await planner.add(change);
  for (const change of changes) if (change.after !== null) await planner.add(change);
  return planner.result();
}

class Planner {
  readonly #options: LandingPlanOptions;
  readonly #root: string;
  readonly #operations: Operation[] = [];
  readonly #conflicts: LandingConflict[] = [];
  readonly #merged: BytePath[] = [];
  /** Paths that will be gone when the rest is made. */
  readonly #gone = new Set<BytePath>();
  readonly #taken = new Set<BytePath>();
  readonly #clashing: ReadonlySet<BytePath>;
  #sameCount = 0;

  constructor(options: LandingPlanOptions) {
    this.#options = options;
    this.#root = options.changeSet.root;
    this.#clashing = new Set(
      options.ignoresCase ? options.changeSet.caseClashes.map(([added]) => added) : [],
    );
  }

  result(): LandingPlan {
    return {
      operations: this.#operations,
      makeDirs: this.#makeDirs(),
      removeDirs: this.#removeDirs(),
      conflicts: this.#conflicts.sort((a, b) => comparePaths(a.path, b.path)),
      merged: this.#merged,
      sameCount: this.#sameCount,
    };
  }

  async add(change: Change): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const { path: name, before, after } = change;
    const found = hostStateOf(this.#root, name);
    const here = isFreed(this.#root, name, found, this.#gone) ? null : found;
    const entry = entryOf(here);
    if (this.#clashing.has(name)) return this.#beside(change, 'case_clash');
    const decision = decide({
      before,
      sprite: after,
      here: here !== null && entry === null ? 'other' : entry,
    });
    if (decision.kind === 'nothing') this.#sameCount += 1;
    else if (decision.kind === 'conflict') this.#beside(change, decision.reason);
    // What says how the next run is sandboxed is never taken into the working tree without a look.
    else if (isWreckitSettings(name)) this.#beside(change, 'held');
    else if (decision.kind === 'merge') await this.#merge(change, here, decision.isExecutable);
    else if (decision.kind === 'set_mode') this.#setMode(name, here, decision.isExecutable);
    else this.#take(change, here, decision.isExecutable);
  }

  #take({ path: name, after, mode, afterBlob }: Change, here: HostState, isExecutable: boolean): void {
    const before = beforeOf(here);
    if (after === null) {
      this.#gone.add(name);
      this.#operations.push({ path: name, before, after: null });
    } else if (after.kind === 'symlink') {
      this.#operations.push({ path: name, before, after });
    } else {
      // Null only where the executable bit alone differs, and then the content here is never replaced.
      if (afterBlob === null) return;
      const bits = permissionBits(before, mode ?? 0o644, isExecutable);
      this.#stageFile(blobFile(this.#options.changeSet, afterBlob), name, bits, before !== null);
      this.#operations.push({
        path: name,
        before,
        after: { kind: 'file', sha256: after.sha256, mode: bits },
      });
    }
  }

  #setMode(name: BytePath, here: HostState, isExecutable: boolean): void {
    const before = beforeOf(here);
    const mode = permissionBits(before, 0o644, isExecutable);
    this.#operations.push({ path: name, before, after: { kind: 'mode', mode } });
  }

  async #merge(change: Change, here: HostState, isExecutable: boolean): Promise<void> {
    const { path: name, afterBlob, after } = change;
    const { changeSet, dir, signal } = this.#options;
    const isSmall = after?.kind === 'file' && after.sizeBytes <= WHOLE_FILE_BYTES && afterBlob !== null;
    const before = isSmall ? await contentBefore(changeSet, change, signal) : null;
    const ours = before === null ? null : readWhole(this.#root, name);
    if (before === null || ours === null || afterBlob === null || here?.kind !== 'file') {
      return this.#beside(change, 'changed_both');
    }
    // Edited between the two looks at it: the next attempt sees the new content.
    if (hashContent(ours, null).sha256 !== here.sha256) return this.#beside(change, 'changed_both');
    const sprite = fs.readFileSync(blobFile(changeSet, afterBlob));
    const merged = await mergeText({ here: ours, before, sprite }, dir, signal);
    if (merged === null) return this.#beside(change, 'changed_both');
    this.#merged.push(name);
    const kept = beforeOf(here);
    const mode = permissionBits(kept, 0o644, isExecutable);
    const { sha256 } = hashContent(merged, null);
    const staged = path.join(dir, 'merged');
    fs.writeFileSync(staged, merged);
    this.#stageFile(staged, name, mode, true);
    this.#operations.push({ path: name, before: kept, after: { kind: 'file', sha256, mode } });
  }

  /** What is here stays; the sprite's version, where there is one, goes next to it. */
  #beside(change: Change, reason: ConflictReason | 'held' | 'case_clash'): void {
    const { path: name, after } = change;
    const beside = after === null ? null : this.#placeBeside(change, after);
    this.#conflicts.push({ path: name, reason, beside });
  }

  #placeBeside({ path: name, mode, afterBlob }: Change, after: EntryState): BytePath | null {
    const present = this.#presentBeside(name, after);
    if (present !== null) return present;
    if (after.kind === 'file' && afterBlob === null) return null;
    const at = freeNameBeside(this.#root, name, this.#taken);
    this.#taken.add(at);
    let made: OperationAfter = after.kind === 'symlink' ? after : null;
    if (after.kind === 'file') {
      const bits = permissionBits(null, mode ?? 0o644, after.isExecutable);
      this.#stageFile(blobFile(this.#options.changeSet, afterBlob ?? ''), at, bits, false);
      made = { kind: 'file', sha256: after.sha256, mode: bits };
    }
    this.#operations.push({ path: at, before: null, after: made });
    return at;
  }

  /** From an earlier landing of the same changes. */
  #presentBeside(name: BytePath, after: EntryState): BytePath | null {
    const first = besideName(this.#root, name, 1);
    const present = entryOf(hostStateOf(this.#root, first));
    return present !== null && isSameContent(present, after) ? first : null;
  }

  #stageFile(from: string, name: BytePath, mode: number, isReplacing: boolean): void {
    const after = path.join(this.#options.dir, 'after');
    fs.mkdirSync(after, { recursive: true });
    const staged = path.join(after, String(this.#operations.length));
    fs.copyFileSync(from, staged, fs.constants.COPYFILE_FICLONE);
    giveToOwnerOf(isReplacing ? hostPath(this.#root, name) : this.#root, staged);
    fs.chmodSync(staged, mode);
  }

  #makeDirs(): RecordedDirectory[] {
    const missing = new Set<BytePath>();
    for (const { path: name, after } of this.#operations) {
      if (after === null) continue;
      for (const parent of parentsOf(name)) {
        const stat = lstatOf(this.#root, parent);
        if (stat === undefined || this.#gone.has(parent)) missing.add(parent);
      }
    }
    return [...missing].sort(comparePaths).map((name) => ({ path: name, mode: null }));
  }

  #removeDirs(): RecordedDirectory[] {
    const parents = new Set([...this.#gone].flatMap((name) => [...parentsOf(name)]));
    const known = [...parents].flatMap((name) => {
      const stat = lstatOf(this.#root, name);
      return stat?.isDirectory() === true ? [{ path: name, mode: Number(stat.mode) & 0o7777 }] : [];
    });
    return known.sort((a, b) => b.path.length - a.path.length);
  }
}

function beforeOf(here: HostState): OperationBefore {
  if (here?.kind === 'symlink') return { kind: 'symlink', target: here.target };
  return here?.kind === 'file' ? { kind: 'file', sha256: here.sha256, stat: here.stat } : null;
}

/** Of a file that is there only the executable bits change; a new one has the sprite's, under the umask. */
function permissionBits(before: OperationBefore, spriteMode: number, isExecutable: boolean): number {
  const bits =
    before?.kind === 'file' ? before.stat.mode & 0o777 : ((spriteMode & 0o777) | 0o600) & ~process.umask();
  const wasExecutable = (bits & 0o100) !== 0;
  if (wasExecutable === isExecutable) return bits;
  return isExecutable ? bits | ((bits & 0o444) >> 2) | 0o100 : bits & ~0o111;
}

function readWhole(root: string, name: BytePath): Buffer | null {
  using file = openFile(root, name);
  return file === null || file.stat.sizeBytes > WHOLE_FILE_BYTES ? null : file.whole();
}
