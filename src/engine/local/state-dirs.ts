/**
 * Where the local engine keeps what it knows.
 *
 *   $WISP_HOME, else $XDG_STATE_HOME/wisp, else ~/.local/state/wisp
 *     sprites/<name>/   record.json, disk/ (rootfs/, upper/, work/), bundle/, mnt/, sessions/
 *     locks/            one lock file per sprite name
 *     trash/            what is being deleted
 *     images/           unpacked image archives
 *     run/oci/          the OCI runtime's state
 *   sockets (`runtime`): $WISP_HOME/run when WISP_HOME is set, else below $XDG_RUNTIME_DIR/wisp, else /run/wisp (root),
 *   so that their paths are short
 */
import { mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { WreckitError } from '../../errors.ts';
import { shortHash } from './digest.ts';

export interface StateDirs {
  readonly home: string;
  readonly sprites: string;
  readonly locks: string;
  readonly trash: string;
  readonly images: string;
  readonly runtime: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function resolveStateDirs(env: Environment): StateDirs {
  const userHome = env.HOME || homedir();
  const stateHome = env.XDG_STATE_HOME || join(userHome, '.local', 'state');
  const home = resolve(env.WISP_HOME || join(stateHome, 'wisp'));
  return {
    home,
    sprites: join(home, 'sprites'),
    locks: join(home, 'locks'),
    trash: join(home, 'trash'),
    images: join(home, 'images'),
    runtime: runtimeDir(env, home),
  };
}

function runtimeDir(env: Environment, home: string): string {
  // Two homes have two servers.
  const tag = shortHash(home);
  if (env.WISP_HOME) return join(home, 'run');
  if (env.XDG_RUNTIME_DIR) return join(env.XDG_RUNTIME_DIR, 'wisp', tag);
  if (process.getuid?.() === 0) return join('/run/wisp', tag);
  return join(home, 'run');
}

/** Makes the directories, for this user only. Throws `ENGINE_UNAVAILABLE`. */
export function ensureStateDirs(dirs: StateDirs): void {
  try {
    for (const dir of [dirs.home, dirs.sprites, dirs.locks, dirs.trash, dirs.images, dirs.runtime]) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw new WreckitError('ENGINE_UNAVAILABLE', `state directory: can't make ${dirs.home}`, {
      hint: 'set WISP_HOME to a directory you can write to',
      cause,
    });
  }
  assertOwnHome(dirs);
}

/** False: there is none yet. Throws `ENGINE_UNAVAILABLE` for one that somebody else can change. */
export function isHomeThere(dirs: StateDirs): boolean {
  if (statSync(dirs.home, { throwIfNoEntry: false }) === undefined) return false;
  assertOwnHome(dirs);
  return true;
}

function assertOwnHome(dirs: StateDirs): void {
  const { uid, mode } = statSync(dirs.home);
  const isForeign = process.getuid !== undefined && uid !== process.getuid();
  if (!isForeign && (mode & 0o022) === 0) return;
  throw new WreckitError(
    'ENGINE_UNAVAILABLE',
    `state directory: ${dirs.home} can be written by somebody else`,
    {
      hint: 'set WISP_HOME to a directory of your own with mode 0700',
    },
  );
}
