/**
 * Makes a sprite's directories, once, before any of its code has run. Afterwards nothing on the host
 * writes below them: what a sprite leaves there (links, say) is never followed.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { SPRITE_HOME } from '../sprite-home.ts';
import { accountFiles } from './accounts.ts';
import type { RootLayout } from './layout.ts';
import type { SpriteRecord } from './record.ts';
import type { SpriteDirs } from './sprite-dirs.ts';

const OWN_DIRS: readonly (readonly [path: string, mode: number])[] = [
  ['proc', 0o555],
  ['sys', 0o555],
  ['dev', 0o755],
  ['run', 0o755],
  ['tmp', 0o1777],
  ['root', 0o700],
  ['mnt', 0o755],
  ['srv', 0o755],
  ['home', 0o755],
  ['etc', 0o755],
  ['var', 0o755],
  ['var/tmp', 0o1777],
  ['var/log', 0o755],
  ['var/log/apt', 0o755],
  ['var/lib', 0o755],
  ['var/cache', 0o755],
  ['var/spool', 0o755],
];

/** What a boot needs beside the disk. */
export function makeBootDirs(dirs: SpriteDirs): void {
  for (const dir of [dirs.bundle, dirs.mnt]) mkdirSync(dir, { recursive: true, mode: 0o755 });
}

/** Throws the system error (a full disk, say). */
export function makeRootfs(dirs: SpriteDirs, record: SpriteRecord, layout: RootLayout): void {
  mkdirSync(dirs.rootfs, { recursive: true, mode: 0o755 });
  const isOverlaid = new Set(layout.overlays.map((overlay) => overlay.target));
  for (const { name, target } of layout.links) symlinkSync(target, join(dirs.rootfs, name));
  for (const { target, lower, key } of layout.overlays) {
    mkdirSync(join(dirs.rootfs, target), { recursive: true, mode: 0o755 });
    makeUpper(dirs, key, lower, record.rootless);
  }
  for (const [path, mode] of OWN_DIRS) {
    if (!isOverlaid.has(`/${path.split('/')[0]}`)) makeDir(join(dirs.rootfs, path), mode);
  }
  makeHome(inside(dirs, layout, SPRITE_HOME), record);
  writeEtc(inside(dirs, layout, '/etc'), record, layout);
}

/** The host directory that shows up as `path` of a fresh sprite: in an overlay's upper, or in the root. */
function inside(dirs: SpriteDirs, layout: RootLayout, path: string): string {
  const overlay = layout.overlays.find(({ target }) => path === target || path.startsWith(`${target}/`));
  return overlay ? join(dirs.upper(overlay.key), path.slice(overlay.target.length)) : join(dirs.rootfs, path);
}

function makeUpper(dirs: SpriteDirs, key: string, lower: string, rootless: boolean): void {
  mkdirSync(dirs.work(key), { recursive: true, mode: 0o700 });
  mkdirSync(dirs.upper(key), { recursive: true, mode: 0o755 });
  // An overlay's own root shows the upper's owner and mode.
  const { mode, uid, gid } = statSync(lower);
  chmodSync(dirs.upper(key), mode & 0o7777);
  if (!rootless) chownSync(dirs.upper(key), uid, gid);
}

function makeDir(path: string, mode: number): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
}

function makeHome(home: string, record: SpriteRecord): void {
  mkdirSync(dirname(home), { recursive: true, mode: 0o755 });
  for (const dir of [home, join(home, 'project')]) {
    makeDir(dir, 0o755);
    if (!record.rootless) chownSync(dir, record.uid, record.gid);
  }
}

/** Name and ids of a sprite that began as a copy. Its /etc is what another sprite left: nothing there is followed. */
export function renewIdentity(dirs: SpriteDirs, record: SpriteRecord, layout: RootLayout): void {
  const etc = inside(dirs, layout, '/etc');
  for (const [name, content, mode] of identityFiles(record)) {
    rmSync(join(etc, name), { force: true, recursive: true });
    writeOwn(join(etc, name), content, mode);
  }
}

function identityFiles(record: SpriteRecord): [name: string, content: string, mode: number][] {
  return [
    ['hostname', `${record.name}\n`, 0o644],
    ['hosts', hostsFile(record.name), 0o644],
    ['machine-id', `${record.id.replaceAll('-', '')}\n`, 0o444],
    ['resolv.conf', record.network === 'open' ? hostResolvConf() : '', 0o644],
  ];
}

function writeEtc(etc: string, record: SpriteRecord, layout: RootLayout): void {
  const base = layout.overlays.find(({ target }) => target === '/etc')?.lower ?? etc;
  const user = record.rootless ? { uid: 0, gid: 0 } : record;
  const hasBash = layout.overlays.some(
    ({ lower }) => existsSync(join(lower, 'bash')) || existsSync(join(lower, 'bin/bash')),
  );
  for (const [name, content] of accountFiles(base, user, hasBash ? '/bin/bash' : '/bin/sh')) {
    writeOwn(join(etc, name), content, name.endsWith('shadow') ? 0o600 : 0o644);
  }
  for (const [name, content, mode] of identityFiles(record)) writeOwn(join(etc, name), content, mode);
}

/** The directory is new: a name that is there already is a fault (EEXIST), and never written through. */
function writeOwn(path: string, content: string, mode: number): void {
  writeFileSync(path, content, { mode, flag: 'wx' });
  chmodSync(path, mode);
}

function hostsFile(name: string): string {
  return `127.0.0.1 localhost ${name}\n::1 localhost ip6-localhost ip6-loopback\n`;
}

/** The host's resolvers. Often a link into /run, which the sprite does not have: hence the content. */
function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch (error) {
    if (errnoOf(error) !== undefined) return '';
    throw error;
  }
}
