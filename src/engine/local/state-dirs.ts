/**
 * Where the local engine keeps what it knows.
 *
 *   $WISP_HOME, else $XDG_STATE_HOME/wisp, else ~/.local/state/wisp
 *     sprites/<name>/   record.json, disk/ (rootfs/, upper/, work/), bundle/, mnt/, sessions/
 *     locks/            one lock file per sprite name
 *     trash/            what is being deleted
 *     images/           unpacked image archives
 *     run/              what lasts no longer than the machine is up: oci/ is the OCI runtime's state
 *   sockets (`runtime`): $WISP_HOME/run when WISP_HOME is set, else below $XDG_RUNTIME_DIR/wisp, else /run/wisp (root),
 *   so that their paths are short
 */
import { mkdirSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { errnoOf, WreckitError } from '../../errors.ts';
import { userHome } from '../../process/user-home.ts';
import { shortHash } from '../digest.ts';

export interface StateDirs {
  readonly home: string;
  readonly sprites: string;
  readonly locks: string;
  readonly trash: string;
  readonly images: string;
  readonly runtime: string;
}

const SET_WISP_HOME = 'set WISP_HOME to a directory you can write to';

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `ENGINE_UNAVAILABLE` where neither a variable nor the user database names a place. */
export function resolveStateDirs(env: Environment): StateDirs {
  const home = resolve(env.WISP_HOME || join(stateHome(env), 'wisp'));
  return {
    home,
    sprites: join(home, 'sprites'),
    locks: join(home, 'locks'),
    trash: join(home, 'trash'),
    images: join(home, 'images'),
    runtime: runtimeDir(env, home),
  };
}

/** A relative `XDG_STATE_HOME` counts as none: that is its specification, and sprites would depend on the directory. */
function stateHome(env: Environment): string {
  if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return env.XDG_STATE_HOME;
  const home = userHome(env);
  if (home !== null) return join(home, '.local', 'state');
  throw new WreckitError('ENGINE_UNAVAILABLE', 'state directory: this user has no home directory', {
    hint: SET_WISP_HOME,
  });
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
  for (const dir of [dirs.home, dirs.sprites, dirs.locks, dirs.trash, dirs.images, runDir(dirs)]) {
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const reason = errnoOf(cause) ?? String(cause);
      throw new WreckitError('ENGINE_UNAVAILABLE', `state directory: can't make ${dir}: ${reason}`, {
        hint: SET_WISP_HOME,
        cause,
      });
    }
  }
  assertOwnHome(dirs);
}

/** False: there is none yet. Throws `ENGINE_UNAVAILABLE` for one that somebody else can change. */
export function isHomeThere(dirs: StateDirs): boolean {
  try {
    if (statSync(dirs.home, { throwIfNoEntry: false }) === undefined) return false;
  } catch (error) {
    throw stateFault(dirs, error);
  }
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

/** For what lasts no longer than the machine is up; made with the others. */
export function runDir({ home }: StateDirs): string {
  return join(home, 'run');
}

/** What reading it failed with: that it is somebody else's, or no directory, is no fault of the program. */
export function stateFault({ home }: StateDirs, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno !== 'EACCES' && errno !== 'ENOTDIR') return error;
  return new WreckitError('ENGINE_UNAVAILABLE', `state directory: ${home} can't be read: ${errno}`, {
    hint: SET_WISP_HOME,
    cause: error,
  });
}
