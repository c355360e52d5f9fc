/** A three-way merge of text with `git merge-file`, outside every repository. */
import fs from 'node:fs';
import path from 'node:path';
import { git, gitFailure, isGitMissing } from './git.ts';

export interface MergeSides {
  readonly here: Uint8Array;
  readonly before: Uint8Array;
  readonly sprite: Uint8Array;
}

const MAX_MERGED_BYTES = 32 * 1024 * 1024;

/** Null where the sides overlap, are not text, or git is not installed. `workDir` is the caller's to remove. */
export async function mergeText(
  { here, before, sprite }: MergeSides,
  workDir: string,
  signal?: AbortSignal,
): Promise<Buffer | null> {
  if ([here, before, sprite].some(isBinary)) return null;
  const dir = fs.mkdtempSync(path.join(workDir, 'merge-'));
  for (const [name, content] of Object.entries({ here, before, sprite })) {
    fs.writeFileSync(path.join(dir, name), content);
  }
  const args = ['merge-file', '-p', '--quiet', 'here', 'before', 'sprite'];
  // A repository that is none: the project's own configuration has no say in a merge.
  const done = await git(args, {
    cwd: dir,
    gitDir: path.join(dir, 'none'),
    maxBytes: MAX_MERGED_BYTES,
    signal,
  });
  fs.rmSync(dir, { recursive: true, force: true });
  if (done.exitCode === 0 && done.stdoutTruncatedBytes === 0) return Buffer.from(done.stdout);
  // 1 to 127: the number of conflicts; 255: not text after all.
  if (isGitMissing(done) || (done.exitCode !== null && done.exitCode > 0 && !done.aborted)) return null;
  throw gitFailure(args, done, signal);
}

/** As git sees it: a NUL among the first 8000 bytes. */
function isBinary(content: Uint8Array): boolean {
  return content.subarray(0, 8000).includes(0);
}
