/**
 * What of a file system becomes part of a sprite, and how: one overlay per directory, the base's directory
 * as its read-only lower, the sprite's own directory as its upper. (overlayfs refuses an upper that lies
 * inside its lower, hence per directory and not one for "/".)
 */
import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WreckitError } from '../../errors.ts';
import { readMounts } from './host-mounts.ts';

export interface OverlayDir {
  /** Where it is in the sprite. */
  readonly target: string;
  /** The base's directory, as a host path. */
  readonly lower: string;
  /** Name of the sprite's own directories for it: `upper/<key>`, `work/<key>`. */
  readonly key: string;
}

export interface RootLayout {
  readonly overlays: readonly OverlayDir[];
  /** Symbolic links at the top, such as bin → usr/bin. */
  readonly links: readonly { readonly name: string; readonly target: string }[];
}

/** Top-level system directories; on merged-/usr systems most of them are links. */
const HOST_DIRS = ['usr', 'etc', 'opt', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'nix', 'gnu'];

/** Of /var only what package tools need: the rest (logs, spools, databases) is the host's business. */
const HOST_VAR_DIRS = [
  'var/lib/dpkg',
  'var/lib/apt',
  'var/cache/apt',
  'var/cache/debconf',
  'var/lib/ucf',
  'var/lib/pam',
  'var/lib/rpm',
  'var/lib/pacman',
  'var/lib/ca-certificates',
];

/** What a sprite of an image has of its own in any case, whatever the image holds there. */
const OWN_DIRS = new Set(['proc', 'sys', 'dev', 'run', 'tmp', 'lost+found']);

/** The layout of base `host`. */
export function hostLayout(): RootLayout {
  const links: { name: string; target: string }[] = [];
  const overlays: OverlayDir[] = [];
  for (const name of [...HOST_DIRS, ...HOST_VAR_DIRS, ...mountedBelow(['/usr', '/opt', '/nix'])]) {
    const stats = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() && !name.includes('/'))
      links.push({ name, target: readlinkSync(`/${name}`) });
    if (stats?.isDirectory()) overlays.push(overlay(`/${name}`, `/${name}`));
  }
  return { overlays, links };
}

/** File systems of their own below system directories (a separate /usr/local, say), without the leading "/". */
function mountedBelow(dirs: readonly string[]): string[] {
  const points = new Set(readMounts().map((mount) => mount.point));
  return [...points]
    .filter((point) => dirs.some((dir) => point.startsWith(`${dir}/`)))
    .filter((point) => statSync(point, { throwIfNoEntry: false })?.isDirectory())
    .map((point) => point.slice(1))
    .sort();
}

/** The layout of an unpacked root file system. Throws `SPRITE_START_FAILED` when it is none. */
export function imageLayout(image: string): RootLayout {
  const links: { name: string; target: string }[] = [];
  const overlays: OverlayDir[] = [];
  for (const entry of readdirSync(image, { withFileTypes: true })) {
    const path = join(image, entry.name);
    if (OWN_DIRS.has(entry.name)) continue;
    if (entry.isSymbolicLink()) links.push({ name: entry.name, target: readlinkSync(path) });
    if (entry.isDirectory()) overlays.push(overlay(`/${entry.name}`, path));
  }
  const names = [...overlays.map((each) => each.target.slice(1)), ...links.map((link) => link.name)];
  if (names.includes('bin') || names.includes('usr')) return { overlays, links };
  throw new WreckitError('SPRITE_START_FAILED', `image: ${image} has neither /bin nor /usr`, {
    hint: 'give the root file system of a Linux distribution, unpacked or as a tar archive (docker export makes one)',
  });
}

function overlay(target: string, lower: string): OverlayDir {
  return { target, lower, key: target.slice(1).replaceAll('/', '-') };
}
