import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';

/**
 * Rebuilds `dist/` when a source is newer, so that no test runs yesterday's programs. Where it can't be built
 * it is removed: the launchers then run the sources, and only the tests that meet the broken one fail.
 */
export function buildIfStale(): void {
  const root = packageRoot();
  const builtAtMs = modifiedAtMs(join(root, 'dist', 'build-id'));
  if (builtAtMs === 0 || newestMs(join(root, 'src')) <= builtAtMs) return;
  const build = spawnSync('node', [join(root, 'scripts', 'build.mjs')], { encoding: 'utf8' });
  if (build.status === 0) return;
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  process.stderr.write(`tests: dist/ cannot be built, the sources are run instead\n${build.stderr}`);
}

function newestMs(dir: string): number {
  let newest = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.name === '__tests__') continue;
    const path = join(dir, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestMs(path) : modifiedAtMs(path));
  }
  return newest;
}

function modifiedAtMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
