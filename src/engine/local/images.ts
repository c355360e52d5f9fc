/** `--image`: a directory is used where it is, a tar archive is unpacked once per content. */
import { mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SpriteStartError } from '../../errors.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { sha256Hex } from '../digest.ts';
import type { Waiting } from '../engine.ts';
import { acquireLock } from './lock.ts';
import type { StateDirs } from './state-dirs.ts';
import { requireTool, TOOL_ENV } from './tools.ts';

export const HOST_IMAGE = 'host';
const IMAGE_HINT = 'give a root file system: a directory, or a tar archive such as docker export makes';
const UNPACK_TIMEOUT_MS = 30 * 60_000;

/** The root file system's directory, or null for base `host`. Throws `SPRITE_START_FAILED`. */
export async function resolveImage(image: string, dirs: StateDirs, waiting: Waiting): Promise<string | null> {
  if (image === HOST_IMAGE) return null;
  const path = realImagePath(image);
  const stats = statSync(path);
  if (stats.isDirectory()) return path;
  if (!stats.isFile()) {
    throw new SpriteStartError(`image: ${path} is neither a directory nor a regular file`, {
      hint: IMAGE_HINT,
    });
  }
  const key = sha256Hex(`${path}\0${stats.size}\0${stats.mtimeMs}\0${stats.ino}`);
  const unpacked = join(dirs.images, key.slice(0, 32));
  using _lock = await acquireLock(join(dirs.locks, `image-${key.slice(0, 32)}`), {
    what: `image ${path}`,
    ...waiting,
  });
  if (statSync(unpacked, { throwIfNoEntry: false }) === undefined) await unpack(path, unpacked, waiting);
  return unpacked;
}

function realImagePath(image: string): string {
  try {
    // Without a name it would be the working directory.
    if (image === '') throw new Error('no name');
    return realpathSync(image);
  } catch (cause) {
    throw new SpriteStartError(`image: there is no ${JSON.stringify(image)}`, { hint: IMAGE_HINT, cause });
  }
}

async function unpack(archive: string, target: string, waiting: Waiting): Promise<void> {
  const staging = `${target}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { mode: 0o755 });
  // Device nodes are left out: a sprite gets its own /dev.
  const flags = [
    '--extract',
    '--file',
    archive,
    '--directory',
    staging,
    '--exclude=dev/*',
    '--exclude=./dev/*',
  ];
  const owner =
    process.getuid?.() === 0
      ? ['--same-owner', '--same-permissions', '--numeric-owner']
      : ['--no-same-owner'];
  const result = await run([requireTool('tar', 'tar'), ...flags, ...owner], {
    env: TOOL_ENV,
    timeoutMs: UNPACK_TIMEOUT_MS,
    signal: waiting.signal,
    maxBytes: 16 * 1024,
  });
  if (result.failed) {
    rmSync(staging, { recursive: true, force: true });
    waiting.signal?.throwIfAborted();
    const said = decodeUtf8(result.stderr).trim().split('\n')[0] ?? '';
    throw new SpriteStartError(`image: ${archive} could not be unpacked: ${said}`, { hint: IMAGE_HINT });
  }
  renameSync(staging, target);
}

/** Names of unpacked images. */
export function unpackedImages(dirs: StateDirs): string[] {
  try {
    return readdirSync(dirs.images);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
