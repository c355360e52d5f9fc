/**
 * What this machine has of what local sprites need, and the exact step that mends what it lacks. Nothing is made
 * that stays.
 */
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Check } from '../../contract/schemas.ts';
import { formatBytes } from '../../contract/units.ts';
import { errnoOf, toWreckitError } from '../../errors.ts';
import type { GcReport, Waiting } from '../engine.ts';
import { type CgroupSupport, type Controller, cgroupSupport } from './cgroup.ts';
import { probeRuntimes, type RuntimeProbe } from './runtime.ts';
import { isHomeThere, runDir } from './state-dirs.ts';
import type { SpriteStore } from './store.ts';
import { findTool } from './tools.ts';

export interface DoctorOptions extends Waiting {
  readonly store: SpriteStore;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rootless: boolean;
  /** What gc would do, without doing it. */
  readonly garbage: () => Promise<GcReport>;
}

const LOW_DISK_BYTES = 2 * 1024 ** 3;
const TOOLS: readonly (readonly [tool: string, debianPackage: string])[] = [
  ['unshare', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['flock', 'util-linux'],
  ['script', 'bsdutils'],
  ['mount', 'mount'],
  ['tar', 'tar'],
  ['find', 'findutils'],
];

export async function runDoctor(options: DoctorOptions): Promise<Check[]> {
  const checks = [
    await guarded('state-directory', async () => checkState(options.store)),
    await guarded('oci-runtime', () => checkRuntime(options)),
    await guarded('host-tools', async () => checkTools()),
    await guarded('overlayfs', async () => checkOverlay()),
    await guarded('cgroups', async () => checkCgroups(options.rootless)),
    await guarded('disk', async () => checkDisk(options.store.dirs.home)),
    await guarded('sprites', async () => checkSprites(await options.garbage())),
  ];
  if (options.rootless)
    checks.splice(1, 0, await guarded('user-namespaces', async () => checkUserNamespaces()));
  return checks;
}

/** A check that breaks is a failing check, never the end of the others. */
async function guarded(name: string, check: () => Promise<Outcome>): Promise<Check> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const { message, hint } = toWreckitError(error);
    return { name, status: 'fail', message, fix: hint };
  }
}

type Outcome = Pick<Check, 'status' | 'message' | 'fix'>;

function ok(message: string): Outcome {
  return { status: 'ok', message, fix: null };
}

function warn(message: string, fix: string | null): Outcome {
  return { status: 'warn', message, fix };
}

function fail(message: string, fix: string): Outcome {
  return { status: 'fail', message, fix };
}

function checkState({ dirs }: SpriteStore): Outcome {
  if (isHomeThere(dirs)) return ok(dirs.home);
  const parent = nearestDir(dirs.home);
  if (isWritable(parent)) return ok(`${dirs.home}, made with the first sprite`);
  return fail(
    `${dirs.home} can't be made: ${parent} can't be written`,
    'set WISP_HOME to a directory of your own',
  );
}

async function checkRuntime({ store, env, rootless, signal }: DoctorOptions): Promise<Outcome> {
  const { dirs } = store;
  const isThere = existsSync(runDir(dirs));
  const dir = isThere ? runDir(dirs) : mkdtempSync(join(tmpdir(), 'wisp-doctor-'));
  let probe: RuntimeProbe;
  try {
    probe = await probeRuntimes(dir, { env, rootless, signal });
  } finally {
    if (!isThere) rmSync(dir, { recursive: true, force: true });
  }
  const { path, rejected } = probe;
  const reasons = rejected.map((each) => `${each.path}: ${each.reason}`).join('; ');
  if (path !== null) return ok(`${path} runs containers${reasons ? ` (passed over: ${reasons})` : ''}`);
  if (rejected.length > 0)
    return fail(`no OCI runtime works here: ${reasons}`, 'sudo apt-get install -y runc');
  return fail('neither runc nor crun is installed', 'sudo apt-get install -y runc');
}

function checkTools(): Outcome {
  const missing = TOOLS.filter(([tool]) => findTool(tool) === null);
  if (missing.length === 0) return ok(TOOLS.map(([tool]) => tool).join(', '));
  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))].join(' ');
  return fail(`missing: ${missing.map(([tool]) => tool).join(', ')}`, `sudo apt-get install -y ${packages}`);
}

function checkOverlay(): Outcome {
  if (/\boverlay$/m.test(readText('/proc/filesystems') ?? '')) return ok('the kernel has overlayfs');
  return warn('overlayfs is not loaded; it may be loaded on demand', 'sudo modprobe overlay');
}

function checkUserNamespaces(): Outcome {
  if (!existsSync('/proc/self/ns/user'))
    return fail('the kernel has no user namespaces', 'run as root, or use another kernel');
  if (readText('/proc/sys/user/max_user_namespaces')?.trim() === '0') {
    return fail('user namespaces are switched off', 'sudo sysctl -w user.max_user_namespaces=15000');
  }
  if (readText('/proc/sys/kernel/unprivileged_userns_clone')?.trim() === '0') {
    return fail(
      'ordinary users may not make user namespaces',
      'sudo sysctl -w kernel.unprivileged_userns_clone=1',
    );
  }
  if (readText('/proc/sys/kernel/apparmor_restrict_unprivileged_userns')?.trim() === '1') {
    const fix = 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
    return fail('AppArmor keeps ordinary users from using user namespaces', fix);
  }
  return ok('ordinary users may make user namespaces');
}

const ALL_CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'pids'];

function checkCgroups(rootless: boolean): Outcome {
  const support = cgroupSupport(rootless);
  const missing = ALL_CONTROLLERS.filter((name) => !support.controllers.has(name));
  const has = [...support.controllers].join(', ') || 'none';
  if (missing.length === 0) return ok(`${support.mode}: limits on ${has} are enforced`);
  return warn(
    `${support.mode}: no limits on ${missing.join(', ')} can be enforced`,
    cgroupFix(support, rootless),
  );
}

function cgroupFix({ mode }: CgroupSupport, rootless: boolean): string {
  if (!rootless) return 'mount the control groups: sudo mount -t cgroup2 none /sys/fs/cgroup';
  if (mode !== 'v2') return 'run as root: with cgroup version 1 an ordinary user can set no limits';
  return 'sudo mkdir -p /etc/systemd/system/user@.service.d && printf "[Service]\\nDelegate=cpu cpuset io memory pids\\n" | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload, then log in again';
}

function checkDisk(home: string): Outcome {
  const { bavail, bsize } = statfsSync(nearestDir(home));
  const free = bavail * bsize;
  const message = `${formatBytes(free)} free at ${home}`;
  if (free >= LOW_DISK_BYTES) return ok(message);
  return warn(message, 'wreckit sprite gc, or set WISP_HOME to a larger disk');
}

/** The directory itself, or the nearest above it that is there. */
function nearestDir(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestDir(dirname(path));
}

function isWritable(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) !== undefined) return false;
    throw error;
  }
}

function checkSprites({ removed, kept }: GcReport): Outcome {
  if (removed.length === 0 && kept.length === 0) return ok('nothing half-made, expired or left over');
  const names = [...removed, ...kept]
    .map(({ kind, name, reason }) => `${kind} ${name} (${reason})`)
    .join('; ');
  return warn(names, removed.length > 0 ? 'wreckit sprite gc' : null);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== undefined) return null;
    throw error;
  }
}
