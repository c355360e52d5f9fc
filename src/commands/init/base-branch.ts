import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';

const DEADLINE_MS = 10_000;

/** The branch work is based on: the remote's, else the present one, else `main`. */
export async function detectBaseBranch(root: string, signal: AbortSignal): Promise<string> {
  const remote = await git(root, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD'], signal);
  if (remote?.startsWith('origin/')) return remote.slice('origin/'.length);
  return (await git(root, ['symbolic-ref', '--short', 'HEAD'], signal)) ?? 'main';
}

async function git(root: string, args: readonly string[], signal: AbortSignal): Promise<string | null> {
  const result = await run(['git', ...args], { cwd: root, timeoutMs: DEADLINE_MS, signal });
  const text = decodeUtf8(result.stdout).trim();
  return result.failed || text === '' ? null : text;
}
