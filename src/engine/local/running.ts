/**
 * A sprite that is up, and what it takes to run something in it. Apart from what makes sprites (container.ts),
 * because every command needs this and few need that.
 */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';
import { isSameProcess, type ProcessIdentity } from '../../process/identity.ts';
import { SPRITE_HOME } from '../sprite-home.ts';
import { EGRESS_ENV } from './egress/egress-env.ts';
import type { RunningSprite } from './inside.ts';
import type { SpriteRecord } from './record.ts';
import type { Container } from './runtime.ts';
import type { SpriteDirs } from './sprite-dirs.ts';

/** Docker's default set without MKNOD, NET_RAW and AUDIT_WRITE: no device nodes, no forged packets. */
const ROOT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
];

export interface SpriteContainer {
  readonly record: SpriteRecord;
  readonly dirs: SpriteDirs;
  /** The runtime's state directory. */
  readonly runtimeRoot: string;
}

export function containerOf({ record, runtimeRoot }: SpriteContainer): Container {
  return { runtime: record.runtime, root: runtimeRoot, id: `wisp-${record.id}` };
}

export function isUp(record: SpriteRecord): boolean {
  return (
    record.phase === 'ready' &&
    record.init !== null &&
    isSameProcess(record.init) &&
    hasMemory(record.init.pid)
  );
}

/**
 * False for a process that was killed and is still on its way out: PID 1 of a namespace waits there for all of
 * it to end, and nothing can be started beside it any more.
 */
function hasMemory(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch (error) {
    if (errnoOf(error) !== undefined) return false;
    throw error;
  }
}

export function runningSprite(sprite: SpriteContainer, init: ProcessIdentity): RunningSprite {
  const { record, dirs, runtimeRoot } = sprite;
  const { uid, gid } = record.rootless ? { uid: 0, gid: 0 } : record;
  return {
    name: record.name,
    id: record.id,
    dir: dirs.dir,
    runtime: record.runtime,
    runtimeRoot,
    containerId: containerOf(sprite).id,
    initPid: init.pid,
    env: {
      ...baseEnvironment(record.name),
      ...(record.network === 'filtered' ? EGRESS_ENV : {}),
      ...record.env,
    },
    home: SPRITE_HOME,
    users: {
      sprite: { uid, gid, home: SPRITE_HOME, capabilities: [] },
      root: {
        uid: 0,
        gid: 0,
        home: '/root',
        capabilities: record.profile === 'minimal' ? [] : ROOT_CAPABILITIES,
      },
    },
    rlimits: rlimits(record.max_file_bytes),
  };
}

function baseEnvironment(name: string): Record<string, string> {
  return {
    PATH: `${SPRITE_HOME}/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: SPRITE_HOME,
    USER: 'sprite',
    LOGNAME: 'sprite',
    LANG: 'C.UTF-8',
    SPRITE_NAME: name,
    // Agents that refuse to work unattended as root look at this: a rootless sprite's user is 0 in its namespace.
    IS_SANDBOX: '1',
  };
}

/** Limits are only ever lowered: raising one takes a capability that machines may lack. */
export function rlimits(maxFileBytes: number): object[] {
  return [
    { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
    { type: 'RLIMIT_FSIZE', hard: maxFileBytes, soft: maxFileBytes },
  ];
}
