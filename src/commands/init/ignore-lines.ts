/** The lines of .gitignore that keep secrets and run records out of the repository. */
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { writeFileAtomic } from './write-file.ts';

export const IGNORE_LINES = ['.wreckit/config.local.json', '.wreckit/runs/'] as const;

export interface IgnorePlan {
  readonly path: string;
  readonly isNew: boolean;
  readonly missing: readonly string[];
  /** The whole file as it should be. */
  readonly content: string;
}

/** What .gitignore lacks. Throws `CONFLICT` where it is no ordinary file: a link could lead anywhere. */
export function planIgnoreLines(root: string): IgnorePlan {
  const path = join(root, '.gitignore');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) {
    throw new WreckitError('CONFLICT', `ignore lines: ${quote(path)} is not an ordinary file`, {
      hint: `add these lines to git's ignore rules yourself: ${IGNORE_LINES.join(' ')}`,
    });
  }
  const before = stats === undefined ? '' : readFileSync(path, 'utf8');
  const present = new Set(before.split(/\r?\n/).map((line) => line.trim().replace(/^\//, '')));
  const missing = IGNORE_LINES.filter((line) => !present.has(line) && !present.has(line.replace(/\/$/, '')));
  const newline = before.includes('\r\n') ? '\r\n' : '\n';
  const joint = before === '' || before.endsWith('\n') ? '' : newline;
  const content = missing.length === 0 ? before : `${before}${joint}${missing.join(newline)}${newline}`;
  return { path, isNew: stats === undefined, missing, content };
}

export function writeIgnoreLines({ path, missing, content }: IgnorePlan): void {
  if (missing.length > 0) writeFileAtomic(path, content);
}
