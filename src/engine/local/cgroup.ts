/**
 * Control groups, version 1, 2 and hybrid: which limits this machine can enforce, and what a sprite uses.
 * The OCI runtime makes and removes the groups; this file only reads.
 */
import { accessSync, constants, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { type Mount, readMounts } from './host-mounts.ts';

export type Controller = 'memory' | 'cpu' | 'pids';
const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'pids'];

export interface CgroupSupport {
  readonly mode: 'v1' | 'v2' | 'hybrid' | 'none';
  readonly controllers: ReadonlySet<Controller>;
  /** Parent of the sprites' groups, as the runtime's `cgroupsPath` takes it. */
  readonly parent: string;
  /** v1 without swap accounting: a memory limit can't cover swap. */
  readonly canLimitSwap: boolean;
}

/** Asked by running sprites as `rootless`: an ordinary user has only what a systemd session delegated to it. */
export function cgroupSupport(rootless: boolean): CgroupSupport {
  const mounts = readMounts();
  const unified = mounts.find((mount) => mount.type === 'cgroup2');
  const v1 = mounts.filter((mount) => mount.type === 'cgroup');
  const v1Controllers = CONTROLLERS.filter((name) => v1.some((mount) => mount.superOptions.includes(name)));
  const mode = v1Controllers.length > 0 ? (unified ? 'hybrid' : 'v1') : unified ? 'v2' : 'none';
  if (mode === 'v2' && unified) return unifiedSupport(unified.point, rootless);
  if (mode === 'none' || rootless) return { mode, controllers: new Set(), parent: '/', canLimitSwap: false };
  const memory = v1.find((mount) => mount.superOptions.includes('memory'));
  const usable = v1Controllers.filter((name) => v1.some((mount) => isWritable(mount, name)));
  return {
    mode,
    controllers: new Set(usable),
    parent: '/',
    canLimitSwap:
      memory !== undefined && readText(join(memory.point, 'memory.memsw.usage_in_bytes')) !== null,
  };
}

function isWritable(mount: Mount, name: Controller): boolean {
  return mount.superOptions.includes(name) && canWrite(mount.point);
}

function unifiedSupport(point: string, rootless: boolean): CgroupSupport {
  const parent = rootless ? delegatedParent(point) : '/';
  if (parent === null) return { mode: 'v2', controllers: new Set(), parent: '/', canLimitSwap: false };
  const available = (readText(join(point, parent, 'cgroup.controllers')) ?? '').trim().split(' ');
  const writable = canWrite(join(point, parent));
  return {
    mode: 'v2',
    controllers: new Set(writable ? CONTROLLERS.filter((name) => available.includes(name)) : []),
    parent,
    canLimitSwap: true,
  };
}

/** The uppermost group that systemd gave to this user (`user@1000.service`), or null. */
function delegatedParent(point: string): string | null {
  const own = ownGroup('/proc/self/cgroup', '');
  let found: string | null = null;
  for (let group = own; group !== null && group !== '/'; group = dirname(group)) {
    const isMine = statSync(join(point, group), { throwIfNoEntry: false })?.uid === process.getuid?.();
    if (isMine && canWrite(join(point, group, 'cgroup.subtree_control'))) found = group;
  }
  return found;
}

function ownGroup(cgroupFile: string, controller: Controller | ''): string | null {
  for (const line of (readText(cgroupFile) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== undefined && path !== undefined && controllers.split(',').includes(controller))
      return path;
  }
  return null;
}

/** The file that moves processes into a group, of a group that this process is in; null: it may move none. */
export function ownProcsFile(): string | null {
  if (process.getuid?.() !== 0) return null;
  for (const { type, point, superOptions } of readMounts()) {
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const controller = type === 'cgroup2' ? '' : CONTROLLERS.find((name) => superOptions.includes(name));
    const group = controller === undefined ? null : ownGroup('/proc/self/cgroup', controller);
    if (group !== null) return join(point, group, 'cgroup.procs');
  }
  return null;
}

/**
 * Shell text. The first move of a process between groups waits for a grace period of the kernel, 10 to 30 ms, those
 * that follow at once do not. The runtime makes such a move when it has got going: by then the wait is over. Moving
 * itself to where it is changes nothing. `$procs` is `ownProcsFile()`, or empty.
 */
export const HASTEN_GROUP_MOVE = '[ -z "$procs" ] || (echo 0 >"$procs") 2>/dev/null &';

export interface CgroupUsage {
  readonly memory_bytes: number | null;
  readonly cpu_ms: number | null;
  readonly pids: number | null;
}

/** Whether the group `name`, of which process `pid` is a member, is held still by the kernel. */
export function isFrozen(pid: number, name: string, mounts: readonly Mount[] = readMounts()): boolean {
  const read = groupDirs(pid, name, mounts);
  const v1State = read('freezer', 'freezer.state');
  if (v1State !== null) return v1State.trim() !== 'THAWED';
  return /^frozen 1$/m.test(read('', 'cgroup.events') ?? '');
}

/** What the group `name` uses now, of which process `pid` is a member; nothing is known of any other group. */
export function cgroupUsage(pid: number, name: string): CgroupUsage {
  const dir = groupDirs(pid, name);
  return {
    memory_bytes: toNumber(dir('memory', 'memory.usage_in_bytes') ?? dir('', 'memory.current')),
    pids: toNumber(dir('pids', 'pids.current') ?? dir('', 'pids.current')),
    cpu_ms: cgroupCpuMs(pid, name),
  };
}

export function cgroupCpuMs(pid: number, name: string, mounts?: readonly Mount[]): number | null {
  const read = groupDirs(pid, name, mounts);
  const v1Ns = read('cpuacct', 'cpuacct.usage');
  return v1Ns !== null ? Math.round(Number(v1Ns) / 1e6) : cpuMsOfStat(read('', 'cpu.stat'));
}

/** The limits of the group `name`, of which process `pid` is a member; null: none, or not known. */
export function cgroupLimits(
  pid: number,
  name: string,
): {
  memory: number | null;
  cpus: number | null;
  pids: number | null;
} {
  const dir = groupDirs(pid, name);
  const quota = toNumber(dir('cpu', 'cpu.cfs_quota_us'));
  const period = toNumber(dir('cpu', 'cpu.cfs_period_us'));
  const [max, maxPeriod] = (dir('', 'cpu.max') ?? '').trim().split(' ').map(Number);
  const v1Cpus = quota !== null && quota > 0 && period ? quota / period : null;
  return {
    memory: toNumber(dir('memory', 'memory.limit_in_bytes') ?? dir('', 'memory.max')),
    pids: toNumber(dir('pids', 'pids.max') ?? dir('', 'pids.max')),
    cpus: v1Cpus ?? (max && maxPeriod ? max / maxPeriod : null),
  };
}

/**
 * Removes the groups below the sprites' parent whose name `isStale` and which hold no process any more: a runtime
 * that is killed between making them and noting its container forgets them.
 */
export function removeGroups(rootless: boolean, isStale: (name: string) => boolean): void {
  const { parent } = cgroupSupport(rootless);
  for (const { type, point } of readMounts()) {
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const dir = join(point, parent);
    for (const name of readdirSync(dir).filter(isStale)) {
      try {
        rmdirSync(join(dir, name));
      } catch (error) {
        // Not a group, not ours to remove, or with a process in it, which is found by its sprite.
        if (errnoOf(error) === undefined) throw error;
      }
    }
  }
}

type GroupReader = (controller: string, file: string) => string | null;

/** Reads a file of the group of `pid`: of a v1 controller, or ('') of the unified hierarchy. */
function groupDirs(pid: number, name: string, mounts?: readonly Mount[]): GroupReader {
  const pathOf = groupPaths(pid, name, mounts);
  return (controller, file) => {
    const path = pathOf(controller);
    return path === null ? null : readText(join(path, file));
  };
}

/** The directory of the group `name`, of which `pid` is a member: of a v1 controller, or ('') the unified one. */
export function groupPaths(
  pid: number,
  name: string,
  mounts: readonly Mount[] = readMounts(),
): (controller: string) => string | null {
  const groups = (readText(`/proc/${pid}/cgroup`) ?? '').split('\n').map((line) => line.split(':'));
  return (controller) => {
    const mount = mounts.find((each) =>
      controller === ''
        ? each.type === 'cgroup2'
        : each.type === 'cgroup' && each.superOptions.includes(controller),
    );
    const group = groups.find(([, names]) => names?.split(',').includes(controller))?.[2];
    return mount && group?.endsWith(`/${name}`) ? join(mount.point, group) : null;
  };
}

function cpuMsOfStat(stat: string | null): number | null {
  const usage = /^usage_usec (\d+)$/m.exec(stat ?? '')?.[1];
  return usage === undefined ? null : Math.round(Number(usage) / 1000);
}

function toNumber(text: string | null): number | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' || trimmed === 'max' || Number.isNaN(Number(trimmed)) ? null : Number(trimmed);
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) !== undefined) return false;
    throw error;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== undefined) return null;
    throw error;
  }
}
