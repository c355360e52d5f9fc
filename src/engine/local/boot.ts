/**
 * Boots a sprite's container. The runtime is started by a small script in a mount namespace of its own, so
 * that no mount of a sprite is ever in the host's, and all of them go when the sprite does.
 *
 * Base `host`, as root, has two overlays on top of each other:
 *
 *   sprite's view   overlay, mounted by root: lower = the guard's directory, upper = the sprite's own
 *   guard           overlay, read-only, mounted by "nobody" (CAP_SYS_ADMIN and nothing else): lower = the host's "/"
 *
 * overlayfs reads its lower with the rights of whoever mounted it. Through the guard that is a user without
 * any right of its own: what such a user can't read on the host, nobody in the sprite can, its root neither;
 * checked by the kernel at every access, also for files that come later.
 */
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SpriteStartError } from '../../errors.ts';
import { type RunResult, run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { Waiting } from '../engine.ts';
import { HASTEN_GROUP_MOVE, ownProcsFile } from './cgroup.ts';
import type { RootLayout } from './layout.ts';
import { requireTool, TOOL_ENV } from './tools.ts';

/** Exit code of the scripts below when the runtime is content and PID 1 is not. */
const NO_COMMAND = 3;

/** What PID 1 writes comes from inside, where anything may be said: hence the limit (KiB). */
const RUN_TO_READINESS = `shift
{ "$@" 3>&1 </dev/null >/dev/null 2>&1 || echo failed; } | {
  ulimit -v 65536
  read -r said || :
  read -r more || :
  case "$said $more" in
    'ready ') ;;
    *failed*) exit 1 ;;
    *) exit ${NO_COMMAND} ;;
  esac
}
`;

/**
 * Arguments: the file for HASTEN_GROUP_MOVE, the sprite's mnt directory, the guards' names, pairs of (host directory,
 * name) up to "--", the runtime's argv.
 */
const GUARD_SCRIPT = `set -e
procs=$1
shift
${HASTEN_GROUP_MOVE}
cd "$1"
mount -t tmpfs -o size=64k,mode=0755,nosuid,nodev wisp .
cd "$1"
mkdir empty $2
shift 2
while [ "$1" != -- ]; do
  setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+sys_admin --ambient-caps=+sys_admin \\
    --no-new-privs mount -c -t overlay overlay -o "ro,nosuid,nodev,lowerdir=$1:empty" "$2"
  shift 2
done
${RUN_TO_READINESS}`;

/** Without guards: rootless, where the runtime itself has no more rights than its user, and images. */
const PLAIN_SCRIPT = `procs=$1
shift 3
${HASTEN_GROUP_MOVE}
${RUN_TO_READINESS}`;

export interface GuardPlan {
  /** The layout with its lowers behind the guards. */
  readonly layout: RootLayout;
  readonly guards: readonly { readonly lower: string; readonly name: string }[];
}

/** One guard per file system that the layout's directories lie on: a mount does not show what is mounted below it. */
export function planGuards(layout: RootLayout, mnt: string): GuardPlan {
  const rootDevice = lstatSync('/').dev;
  const guards = new Map([['/', 'base']]);
  const overlays = layout.overlays.map((overlay) => {
    if (lstatSync(overlay.lower).dev === rootDevice)
      return { ...overlay, lower: join(mnt, 'base', overlay.lower) };
    const name = `base-${guards.size}`;
    guards.set(overlay.lower, name);
    return { ...overlay, lower: join(mnt, name) };
  });
  return {
    layout: { ...layout, overlays },
    guards: [...guards].map(([lower, name]) => ({ lower, name })),
  };
}

export interface BootRequest extends Waiting {
  /**
   * Must write its own messages to `logFile`, for PID 1 keeps the standard streams it is started with; and hand on
   * descriptor 3, to which PID 1 says "ready".
   */
  readonly runtimeArgv: readonly string[];
  readonly logFile: string;
  readonly mnt: string;
  readonly guards: GuardPlan['guards'];
  readonly timeoutMs: number;
}

/** Runs the runtime to the point where PID 1 has run a command. Throws `SPRITE_START_FAILED` with what was said. */
export async function boot(request: BootRequest): Promise<void> {
  const script = request.guards.length === 0 ? PLAIN_SCRIPT : GUARD_SCRIPT;
  const pairs = request.guards.flatMap(({ lower, name }) => [lower, name]);
  const names = request.guards.map(({ name }) => name).join(' ');
  const arguments_ = ['sh', ownProcsFile() ?? '', request.mnt, names, ...pairs, '--', ...request.runtimeArgv];
  const result = await run([...namespacePrefix(request), '/bin/sh', '-c', script, ...arguments_], {
    env: TOOL_ENV,
    stdin: 'ignore',
    timeoutMs: request.timeoutMs,
    signal: request.signal,
    maxBytes: 64 * 1024,
  });
  if (!result.failed) return;
  request.signal?.throwIfAborted();
  const said = messageOf(request.logFile, result);
  throw new SpriteStartError(`container: ${faultOf(result, said)}`, {
    hint: result.exitCode === NO_COMMAND ? SHELL_HINT : hintFor(said),
    details: { runtime: request.runtimeArgv[0], exit_code: result.exitCode },
  });
}

function faultOf({ timedOut, exitCode }: RunResult, said: string): string {
  if (exitCode === NO_COMMAND) return 'a first command did not run in it';
  return `${timedOut ? 'it was not up in time' : 'the runtime failed'}: ${said}`;
}

function namespacePrefix(request: BootRequest): string[] {
  if (request.guards.length === 0) return [];
  return [requireTool('unshare', 'util-linux'), '--mount', '--propagation', 'private', '--'];
}

function messageOf(logFile: string, result: RunResult): string {
  const logged = readLog(logFile);
  const said = decodeUtf8(result.stderr).trim();
  return logged || said || result.spawnError?.message || `exit code ${result.exitCode}`;
}

/** The runtime's last error line: `… level=error msg="…"`. */
function readLog(logFile: string): string {
  try {
    const lines = readFileSync(logFile, 'utf8').trim().split('\n');
    const message = /msg="((?:[^"\\]|\\.)*)"/.exec(lines.at(-1) ?? '')?.[1];
    return message?.replaceAll('\\"', '"') ?? lines.at(-1) ?? '';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

const SHELL_HINT = 'a sprite needs /bin/sh and coreutils (busybox is enough) in its image';

function hintFor(said: string): string | undefined {
  if (/overlay/.test(said)) {
    return 'overlayfs must be able to use the state directory: set WISP_HOME to a directory on ext4, xfs or btrfs';
  }
  if (/no space left/i.test(said))
    return 'the disk is full: free some space, or set WISP_HOME to another disk';
  if (/\/bin\/sh/.test(said)) return SHELL_HINT;
  return undefined;
}
