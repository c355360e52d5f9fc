/** Finds the Bun of this package's dependencies. Node built-ins only: it runs before anything is installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Bun keeps its binary in `@oven/bun-<platform>` until its postinstall script has moved it to `bun/bin`;
 * before that (npm ci --ignore-scripts) `bun/bin/bun.exe` is a text that says so. The launchers look in the
 * same places in the same order.
 */
export function bunCandidates(root) {
  const candidates = [];
  for (const modules of [join(root, 'node_modules'), join(root, '..')]) {
    const scope = join(modules, '@oven');
    const packages = existsSync(scope) ? readdirSync(scope).filter((name) => name.startsWith('bun-')) : [];
    for (const name of packages) candidates.push(join(scope, name, 'bin', 'bun'));
    candidates.push(join(modules, 'bun', 'bin', 'bun.exe'));
  }
  return candidates.filter((path) => existsSync(path));
}

/** The first candidate that really runs here (right CPU, right libc), or null. */
export function findBun(root) {
  for (const path of bunCandidates(root)) {
    const probe = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
    if (probe.status === 0 && /^\d+\.\d+/.test(probe.stdout)) return path;
  }
  return null;
}
