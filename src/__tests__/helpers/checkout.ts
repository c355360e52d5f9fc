import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../package-root.ts';

/** The files under version control as they are now, copied to `at`, with this checkout's node_modules linked. */
export function copyCheckout(at: string): string {
  const root = packageRoot();
  const listing = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (listing.status !== 0) throw new Error(`git ls-files in ${root}: ${listing.stderr}`);
  for (const path of listing.stdout
    .split('\0')
    .filter((each) => each !== '' && !each.startsWith('src/__tests__/'))) {
    mkdirSync(dirname(join(at, path)), { recursive: true });
    cpSync(join(root, path), join(at, path));
  }
  symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'));
  return at;
}
