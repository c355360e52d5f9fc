/** A sprite as an OCI runtime bundle (opencontainers/runtime-spec, config.md and config-linux.md, 1.0.2). */
import type { CgroupSupport } from './cgroup.ts';
import type { RootLayout } from './layout.ts';
import type { SpriteRecord } from './record.ts';
import { rlimits } from './running.ts';
import { seccompProfile } from './seccomp.ts';
import { SERVICE_LOGS, type SpriteDirs } from './sprite-dirs.ts';

/**
 * PID 1: runs a first command and says so to whoever boots it (see boot.ts), then reaps whatever is orphaned (a
 * shell waiting for a job reaps every child) and ends on SIGTERM. A shell and a sleep are all that an idle sprite costs.
 */
const INIT = `/bin/sh -c : && echo ready >&3
exec 3>&-
trap "exit 0" TERM
while :; do sleep 2147483647 & wait $!; done`;

/** An ordinary user ("nobody"): what it can run the sprite's user can, who has no rights over it. */
const INIT_ID = 65_534;

/**
 * The sprite's root is user 0 of the kernel, and so the owner of all that /proc and /sys keep for root: addresses
 * and tables of the kernel, serial numbers, and files of which a mere read changes the machine (zram's `hot_add`
 * makes a device). What others may not read there is masked; visible.test.ts walks both to find more.
 */
const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/dynamic_debug',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/kmsg',
  '/proc/kpagecgroup',
  '/proc/kpagecount',
  '/proc/kpageflags',
  '/proc/latency_stats',
  '/proc/pagetypeinfo',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/slabinfo',
  '/proc/sys/kernel/cad_pid',
  '/proc/sys/kernel/usermodehelper',
  '/proc/sys/net/ipv4/tcp_fastopen_key',
  '/proc/sys/vm/mmap_rnd_bits',
  '/proc/sys/vm/mmap_rnd_compat_bits',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/vmallocinfo',
  '/sys/class/zram-control',
  '/sys/devices/virtual/dmi',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/hypervisor',
  '/sys/kernel/debug',
  '/sys/kernel/mm/damon',
  '/sys/kernel/slab',
  '/sys/kernel/tracing',
  '/sys/module',
  '/sys/power',
];

const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface SpecInput {
  readonly record: SpriteRecord;
  readonly dirs: SpriteDirs;
  /** Lowers as the runtime shall mount them (see boot.ts). */
  readonly layout: RootLayout;
  readonly cgroups: CgroupSupport;
  readonly containerId: string;
  /** Host paths that must not be readable inside (rootless only: see hidden-paths.ts). */
  readonly hidden: readonly string[];
  /** Largest file the sprite may write, in bytes: keeps one runaway file from filling the host's disk. */
  readonly maxFileBytes: number;
}

export function ociSpec(input: SpecInput): object {
  const { record, dirs, cgroups, containerId } = input;
  const hasGroup = cgroups.controllers.size > 0;
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: record.rootless ? { uid: 0, gid: 0 } : { uid: INIT_ID, gid: INIT_ID },
      args: ['/bin/sh', '-c', INIT],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: '/',
      capabilities: capabilities([]),
      rlimits: rlimits(input.maxFileBytes),
      noNewPrivileges: true,
    },
    root: { path: dirs.rootfs, readonly: false },
    hostname: record.name,
    mounts: [...kernelMounts(record, cgroups), ...overlayMounts(input), serviceLogsMount(dirs)],
    linux: {
      namespaces: namespaces(record),
      ...(record.rootless ? idMappings() : {}),
      ...(hasGroup ? { cgroupsPath: `${cgroups.parent === '/' ? '' : cgroups.parent}/${containerId}` } : {}),
      resources: resources(record, cgroups),
      seccomp: seccompProfile(process.arch),
      maskedPaths: [...MASKED_PATHS, ...input.hidden],
      readonlyPaths: READONLY_PATHS,
    },
  };
}

export function capabilities(names: readonly string[]): object {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] };
}

function kernelMounts(record: SpriteRecord, cgroups: CgroupSupport): OciMount[] {
  const safe = ['nosuid', 'noexec', 'nodev'];
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: safe },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        ...(record.rootless ? [] : ['gid=5']),
      ],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...safe, 'mode=1777', 'size=524288k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe },
    {
      destination: '/run',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'mode=755', 'size=131072k'],
    },
  ];
  // Without a network namespace of its own a user namespace may not mount sysfs; it does without.
  if (!(record.rootless && record.network === 'open')) {
    mounts.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, 'ro'] });
    // Programs size themselves by it (JVM, Go). Version 1 has a mount per controller: not worth its start-up.
    if (cgroups.mode === 'v2') {
      mounts.push({
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: [...safe, 'ro'],
      });
    }
  }
  return mounts;
}

function overlayMounts({ dirs, layout, record }: SpecInput): OciMount[] {
  return layout.overlays.map(({ target, lower, key }) => ({
    destination: target,
    type: 'overlay',
    source: 'overlay',
    options: [
      'nodev',
      ...(record.rootless ? ['userxattr'] : []),
      `lowerdir=${escapeOption(lower)}`,
      `upperdir=${escapeOption(dirs.upper(key))}`,
      `workdir=${escapeOption(dirs.work(key))}`,
    ],
  }));
}

function serviceLogsMount({ serviceLogs }: SpriteDirs): OciMount {
  const options = ['bind', 'ro', 'nosuid', 'nodev', 'noexec'];
  return { destination: SERVICE_LOGS, type: 'bind', source: serviceLogs, options };
}

/** overlayfs splits its options at "," and its lowers at ":". */
function escapeOption(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}

function namespaces(record: SpriteRecord): object[] {
  const types = ['pid', 'ipc', 'uts', 'mount', 'cgroup'];
  if (record.network !== 'open') types.push('network');
  if (record.rootless) types.push('user');
  return types.map((type) => ({ type }));
}

/** An ordinary user has one id to give: it becomes user 0 of a namespace in which it is nobody else. */
function idMappings(): object {
  return {
    uidMappings: [{ containerID: 0, hostID: process.getuid?.() ?? 0, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: process.getgid?.() ?? 0, size: 1 }],
  };
}

function resources(record: SpriteRecord, support: CgroupSupport): object {
  return {
    // An ordinary user can't set device rules; without CAP_MKNOD there are no nodes to use either.
    ...(record.rootless ? {} : { devices: [{ allow: false, access: 'rwm' }] }),
    ...limitResources(record.limits, support),
  };
}

/** A limit of null is left out. */
export function limitResources(
  { memory_bytes: memory, cpus, pids }: SpriteRecord['limits'],
  { controllers, canLimitSwap }: CgroupSupport,
): object {
  const has = (name: 'memory' | 'cpu' | 'pids') => controllers.has(name);
  return {
    ...(has('memory') && memory !== null
      ? { memory: { limit: memory, ...(canLimitSwap ? { swap: memory } : {}) } }
      : {}),
    ...(has('cpu') && cpus !== null ? { cpu: { quota: Math.round(cpus * 100_000), period: 100_000 } } : {}),
    ...(has('pids') && pids !== null ? { pids: { limit: pids } } : {}),
  };
}
