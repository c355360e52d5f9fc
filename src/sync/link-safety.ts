/** Whether a symbolic link of a sprite stays inside the project, followed through every other link. */
import { type BytePath, parentOf, showPath } from './byte-path.ts';
import { isGitName, isGitRuleFile, isPrivateToHost } from './path-safety.ts';

const MAX_TARGET_BYTES = 4095;
const MAX_HOPS = 40;

/**
 * Why the link at `path` may not be made here; null when it may. `linkAt` knows the other links there would be:
 * the target of the one at a path, or null.
 */
export function linkFault(
  path: BytePath,
  target: BytePath,
  linkAt: (path: BytePath) => BytePath | null,
): string | null {
  const shown = `"${showPath(target)}"`;
  if (target === '' || target.includes('\0')) return 'is a symbolic link without a target';
  if (target.length > MAX_TARGET_BYTES) return `is a symbolic link to a path of ${target.length} bytes`;
  if (isGitRuleFile(path)) return 'is a symbolic link in the place of a file git reads rules from';
  const end = resolveInside(parentOf(path), target, linkAt);
  switch (end.kind) {
    case 'absolute':
      return `is a symbolic link to the absolute path ${shown}`;
    case 'outside':
      return `is a symbolic link that leaves the project: ${shown}`;
    case 'loop':
      return `is a symbolic link that leads through too many others: ${shown}`;
    case 'git':
      return `is a symbolic link into git's own directory: ${shown}`;
    case 'inside':
      return isPrivateToHost(end.path)
        ? `is a symbolic link to what wreckit keeps for itself: ${shown}`
        : null;
  }
}

type Resolution =
  | { readonly kind: 'absolute' | 'outside' | 'loop' | 'git' }
  | { readonly kind: 'inside'; readonly path: BytePath };

function resolveInside(
  from: BytePath,
  target: BytePath,
  linkAt: (path: BytePath) => BytePath | null,
): Resolution {
  const place = from === '' ? [] : from.split('/');
  let rest = target.split('/');
  if (isAbsolute(target)) return { kind: 'absolute' };
  for (let hops = 0; ; ) {
    const name = rest.shift();
    if (name === undefined) return { kind: 'inside', path: place.join('/') };
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (place.pop() === undefined) return { kind: 'outside' };
      continue;
    }
    if (isGitName(name)) return { kind: 'git' };
    place.push(name);
    const next = linkAt(place.join('/'));
    if (next === null) continue;
    hops += 1;
    if (hops > MAX_HOPS) return { kind: 'loop' };
    if (isAbsolute(next)) return { kind: 'outside' };
    place.pop();
    rest = [...next.split('/'), ...rest];
  }
}

function isAbsolute(target: BytePath): boolean {
  if (target.startsWith('/')) return true;
  return process.platform === 'win32' && /^([a-z]:|\\)/i.test(target);
}
