/** "Look before you run": which changes of a sprite can run code on this machine, and how. */
import fs from 'node:fs';
import { quote } from '../contract/names.ts';
import { type BytePath, nameOf, showPath } from './byte-path.ts';
import { blobFile, type Change, type ChangeSet } from './change-set.ts';
import { contentBefore } from './content-before.ts';
import { REVIEW_RULES, type ReviewKind } from './review-rules.ts';

export interface ReviewItem {
  readonly path: BytePath;
  readonly kind: ReviewKind;
  /** For people, after the file's name. */
  readonly reason: string;
  readonly change: 'added' | 'changed' | 'deleted';
}

const MAX_PACKAGE_BYTES = 1024 * 1024;

/** Sorted by path; a deleted file runs nothing, but for rules whose loss changes what runs. */
export async function reviewChanges(changeSet: ChangeSet, signal?: AbortSignal): Promise<ReviewItem[]> {
  const items: ReviewItem[] = [];
  for (const change of changeSet.changes) {
    const found = await look(changeSet, change, signal);
    if (found !== null) items.push({ path: change.path, change: kindOfChange(change), ...found });
  }
  return items;
}

type Finding = Pick<ReviewItem, 'kind' | 'reason'>;

async function look(changeSet: ChangeSet, change: Change, signal?: AbortSignal): Promise<Finding | null> {
  const { path: name, before, after } = change;
  if (nameOf(name).toLowerCase() === 'package.json') return await lookIntoPackage(changeSet, change, signal);
  const rule = REVIEW_RULES.find(({ path }) => path.test(name));
  if (rule !== undefined) return { kind: rule.kind, reason: rule.reason };
  if (after === null) return null;
  if (after.kind === 'symlink') {
    return {
      kind: 'symlink',
      reason: `is a symbolic link to "${showPath(after.target)}"`,
    };
  }
  const wasExecutable = before?.kind === 'file' && before.isExecutable;
  if (after.isExecutable) {
    return { kind: 'executable', reason: wasExecutable ? 'is a program' : 'is a program now' };
  }
  if (/\.(sh|bash|zsh|fish|ps1|bat|cmd|command)$/i.test(name))
    return { kind: 'executable', reason: 'is a script' };
  return null;
}

/** Only what runs counts: scripts, programs, and what is installed. */
async function lookIntoPackage(
  changeSet: ChangeSet,
  change: Change,
  signal?: AbortSignal,
): Promise<Finding | null> {
  if (change.after === null) return null;
  const after = parsePackage(contentAfter(changeSet, change));
  const before = change.before === null ? {} : parsePackage(await contentBefore(changeSet, change, signal));
  if (after === null || before === null) return { kind: 'package', reason: 'declares scripts and packages' };
  const changed = WATCHED.filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
  if (changed.length === 0) return null;
  const scripts = changedKeys(before.scripts, after.scripts).map(shownKey).join(', ');
  const named = changed.map((key) => (key === 'scripts' && scripts !== '' ? `scripts (${scripts})` : key));
  return { kind: 'package', reason: `has other ${named.join(', ')}` };
}

const WATCHED = [
  'scripts',
  'bin',
  'main',
  'exports',
  'imports',
  'workspaces',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'bundleDependencies',
  'overrides',
  'resolutions',
  'packageManager',
  'gypfile',
  'config',
  'husky',
  'lint-staged',
  'simple-git-hooks',
  'pre-commit',
  'trustedDependencies',
  'pnpm',
  'jest',
  'babel',
  'eslintConfig',
] as const;

function changedKeys(before: unknown, after: unknown): string[] {
  const [old, now] = [asRecord(before), asRecord(after)];
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...keys].filter((key) => JSON.stringify(old[key]) !== JSON.stringify(now[key])).sort();
}

/** As it is where it is a word; the sprite may have put anything there. */
function shownKey(key: string): string {
  return /^[\w:.-]{1,80}$/.test(key) ? key : quote(key);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function contentAfter(changeSet: ChangeSet, { afterBlob, after }: Change): Buffer | null {
  if (afterBlob === null || after?.kind !== 'file' || after.sizeBytes > MAX_PACKAGE_BYTES) return null;
  return fs.readFileSync(blobFile(changeSet, afterBlob));
}

/** Null where it can't be compared. */
function parsePackage(content: Buffer | null): Record<string, unknown> | null {
  if (content === null) return null;
  try {
    return asRecord(JSON.parse(content.toString('utf8')));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

function kindOfChange({ before, after }: Change): ReviewItem['change'] {
  if (before === null) return 'added';
  return after === null ? 'deleted' : 'changed';
}
