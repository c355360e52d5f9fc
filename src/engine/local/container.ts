/** A sprite's container: booted, looked at, taken down. The caller holds the sprite's lock. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpriteStartError, WreckitError } from '../../errors.ts';
import { isSameProcess, type ProcessIdentity } from '../../process/identity.ts';
import { stopProcess } from '../../process/ladder.ts';
import type { Waiting } from '../engine.ts';
import { boot, planGuards } from './boot.ts';
import { cgroupLimits, cgroupSupport, removeGroups } from './cgroup.ts';
import { ensureEgress, stopEgress } from './egress/egress-process.ts';
import { findHiddenPaths } from './hidden-paths.ts';
import { hostLayout, imageLayout, type RootLayout } from './layout.ts';
import { limitResources, ociSpec } from './oci-spec.ts';
import type { SpriteRecord } from './record.ts';
import { containerOf, runningSprite, type SpriteContainer } from './running.ts';
import { deleteContainer, readInit, updateLimits } from './runtime.ts';
import { freezerOf, thaw } from './sleep/freezer.ts';

const BOOT_TIMEOUT_MS = 60_000;
const KILL_TIMEOUT_MS = 5_000;

export function layoutOf(image: string | null): RootLayout {
  return image === null ? hostLayout() : imageLayout(image);
}

/** Starts PID 1, which runs a command. Returns PID 1. Throws `SPRITE_START_FAILED`; nothing runs then. */
export async function bootContainer(sprite: SpriteContainer, waiting: Waiting): Promise<ProcessIdentity> {
  const { record, dirs } = sprite;
  const image = record.image_dir;
  const container = containerOf(sprite);
  await deleteContainer(container, waiting);
  const layout = layoutOf(image);
  const isGuarded = image === null && !record.rootless;
  const plan = isGuarded ? planGuards(layout, dirs.mnt) : { layout, guards: [] };
  const hidden = image === null && record.rootless ? await findHiddenPaths(layout, waiting) : [];
  const spec = ociSpec({
    record,
    dirs,
    layout: plan.layout,
    cgroups: cgroupSupport(record.rootless),
    containerId: container.id,
    hidden,
    maxFileBytes: record.max_file_bytes,
  });
  const pidFile = join(dirs.bundle, 'init.pid');
  const logFile = join(dirs.bundle, 'runtime.log');
  for (const file of [pidFile, logFile]) rmSync(file, { force: true });
  mkdirSync(dirs.serviceLogs, { recursive: true, mode: 0o755 });
  writeFileSync(join(dirs.bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
  const runtimeOptions = ['--root', container.root, '--log', logFile];
  const runOptions = [
    'run',
    '--detach',
    '--preserve-fds',
    '1',
    '--bundle',
    dirs.bundle,
    '--pid-file',
    pidFile,
  ];
  try {
    await boot({
      runtimeArgv: [container.runtime, ...runtimeOptions, ...runOptions, container.id],
      logFile,
      mnt: dirs.mnt,
      guards: plan.guards,
      timeoutMs: BOOT_TIMEOUT_MS,
      signal: waiting.signal,
    });
    const init = readInit(pidFile);
    if (init === null) throw new SpriteStartError('container: its first process ended at once');
    assertLimits(record, init.pid);
    // Before the first byte of anybody's code or secrets can be in it.
    if (record.network === 'filtered') await ensureEgress(runningSprite(sprite, init), record.rootless);
    return init;
  } catch (error) {
    await endContainer(sprite);
    throw error;
  }
}

/** Puts the limits of the record in force for what runs. Throws `CONFLICT`, `INTERNAL`. */
export async function changeLimits(
  sprite: SpriteContainer,
  initPid: number,
  waiting: Waiting,
): Promise<void> {
  const { record } = sprite;
  const support = cgroupSupport(record.rootless);
  // What is not limited any more has to be said, too.
  const { memory_bytes, cpus, pids } = record.limits;
  const unlimited = {
    ...(memory_bytes === null && support.controllers.has('memory') ? { memory: { limit: -1 } } : {}),
    ...(cpus === null && support.controllers.has('cpu') ? { cpu: { quota: -1, period: 100_000 } } : {}),
    ...(pids === null && support.controllers.has('pids') ? { pids: { limit: -1 } } : {}),
  };
  await updateLimits(
    containerOf(sprite),
    { ...limitResources(record.limits, support), ...unlimited },
    waiting,
  );
  assertLimits(record, initPid);
}

/** Ends what runs of the sprite, in it and for it. Throws `SPRITE_KILL_FAILED`. */
export async function endContainer(sprite: SpriteContainer, waiting: Waiting = {}): Promise<void> {
  const container = containerOf(sprite);
  const { init } = sprite.record;
  const freezer = init === null ? null : freezerOf(init.pid, container.id);
  // What stands still doesn't end (version 1), and not every runtime knows.
  if (freezer !== null) thaw(freezer);
  await deleteContainer(container, waiting);
  if (init !== null) await endFirstProcess(init, container.id);
  removeGroups(sprite.record.rootless, (name) => name === container.id);
  if (sprite.record.network === 'filtered') await stopEgress(sprite.dirs.dir);
}

/** All others end with it. The runtime has ended it, unless somebody took away what the runtime knew of it. */
async function endFirstProcess(init: ProcessIdentity, containerId: string): Promise<void> {
  if (!isSameProcess(init)) return;
  const outcome = await stopProcess(init.pid, { signal: 'SIGKILL', graceMs: KILL_TIMEOUT_MS });
  if (outcome !== 'survived') return;
  throw new WreckitError('SPRITE_KILL_FAILED', `container ${containerId}: process ${init.pid} does not end`, {
    retryable: true,
  });
}

/** What was asked for must be what the kernel enforces. Throws `SPRITE_START_FAILED`. */
function assertLimits(record: SpriteRecord, pid: number): void {
  const { controllers } = cgroupSupport(record.rootless);
  const enforced = cgroupLimits(pid, `wisp-${record.id}`);
  const wanted = record.limits;
  const isWrong =
    (controllers.has('memory') &&
      wanted.memory_bytes !== null &&
      (enforced.memory ?? Infinity) > wanted.memory_bytes) ||
    (controllers.has('cpu') && wanted.cpus !== null && (enforced.cpus ?? Infinity) > wanted.cpus + 0.01) ||
    (controllers.has('pids') && wanted.pids !== null && (enforced.pids ?? Infinity) > wanted.pids);
  if (!isWrong) return;
  throw new SpriteStartError('limits: the kernel does not enforce what was asked for', {
    details: { wanted, enforced },
  });
}
