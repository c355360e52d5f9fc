/** How two trees differ. */
import { type GitOptions, gitBytes } from './git.ts';
import type { TreePair } from './land-tree.ts';

export interface DiffStat {
  readonly fileCount: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** Nothing but git's own diff, whatever attributes and configuration say. */
export const NEUTRAL_DIFF = ['--no-ext-diff', '--no-textconv', '--no-color', '-r', '-M'];

export async function diffStat(at: GitOptions, { before, after }: TreePair): Promise<DiffStat> {
  const output = await gitBytes(['diff-tree', '--numstat', ...NEUTRAL_DIFF, before, after], at);
  const rows = output
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '');
  const counts = rows.map((row) => row.split('\t').map((field) => Number(field) || 0));
  return sumOf(counts.map(([insertions = 0, deletions = 0]) => ({ fileCount: 1, insertions, deletions })));
}

export function sumOf(stats: readonly DiffStat[]): DiffStat {
  return stats.reduce(
    (sum, stat) => ({
      fileCount: sum.fileCount + stat.fileCount,
      insertions: sum.insertions + stat.insertions,
      deletions: sum.deletions + stat.deletions,
    }),
    { fileCount: 0, insertions: 0, deletions: 0 },
  );
}
