/** The OCI runtime: which one works here, and the few calls that are made of it. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf, WreckitError } from '../../errors.ts';
import { identify, type ProcessIdentity } from '../../process/identity.ts';
import { type RunResult, run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { Waiting } from '../engine.ts';
import { readJsonFile, writeJsonFile } from '../json-file.ts';
import { removeGroups } from './cgroup.ts';
import { runDir, type StateDirs } from './state-dirs.ts';
import { findTool, isExecutable, TOOL_ENV } from './tools.ts';

/** In order of preference; each is believed only after a container has run. */
const CANDIDATES = ['runc', 'crun'];
/** Followed by the pid of whoever probes. */
const PROBE_PREFIX = 'wisp-probe-';
const PROBE_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 30_000;

export interface RuntimeProbe {
  readonly path: string | null;
  /** Every candidate that is there and what was wrong with it. */
  readonly rejected: readonly { readonly path: string; readonly reason: string }[];
}

export interface RuntimeOptions extends Waiting {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rootless: boolean;
}

/** The runtime's path. Throws `RUNTIME_NOT_FOUND`. Probed once per binary and boot. */
export async function findRuntime(dirs: StateDirs, options: RuntimeOptions): Promise<string> {
  const cacheFile = join(dirs.home, 'runtime.json');
  const candidates = candidatePaths(options.env);
  const key = candidates.map(fingerprint).join('\n') + identify(process.pid)?.bootId;
  const known = readCache(cacheFile);
  if (known?.key === key && typeof known.path === 'string') return known.path;
  const probe = await probeRuntimes(runDir(dirs), options);
  if (probe.path === null) throw notFound(probe);
  writeJsonFile(cacheFile, { key, path: probe.path });
  return probe.path;
}

/** `dir` is where the trial containers lie. */
export async function probeRuntimes(dir: string, options: RuntimeOptions): Promise<RuntimeProbe> {
  removeStaleProbes(dir, options.rootless);
  const rejected: { path: string; reason: string }[] = [];
  for (const path of candidatePaths(options.env)) {
    const reason = await tryRuntime(path, dir, options);
    if (reason === null) return { path, rejected };
    rejected.push({ path, reason });
  }
  return { path: null, rejected };
}

/** What a probe that was killed left behind. */
function removeStaleProbes(parent: string, rootless: boolean): void {
  const isStale = (name: string): boolean => {
    const pid = name.startsWith(PROBE_PREFIX)
      ? Number.parseInt(name.slice(PROBE_PREFIX.length), 10)
      : Number.NaN;
    return Number.isInteger(pid) && identify(pid) === null;
  };
  for (const dir of [parent, join(parent, 'probe')]) {
    const names = existsSync(dir) ? readdirSync(dir) : [];
    for (const name of names.filter(isStale)) rmSync(join(dir, name), { recursive: true, force: true });
  }
  removeGroups(rootless, isStale);
}

function candidatePaths(env: RuntimeOptions['env']): string[] {
  if (env.WISP_RUNTIME) return [env.WISP_RUNTIME];
  return CANDIDATES.map(findTool).filter((path) => path !== null);
}

function notFound({ rejected }: RuntimeProbe): WreckitError {
  const [first] = rejected;
  const what = first
    ? `${first.path} does not work here: ${first.reason}`
    : 'neither runc nor crun is installed';
  return new WreckitError('RUNTIME_NOT_FOUND', `OCI runtime: ${what}`, { details: { rejected } });
}

function fingerprint(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return `${path} ${stats?.size} ${stats?.mtimeMs}`;
}

function readCache(path: string): { key?: unknown; path?: unknown } | null {
  try {
    const value = readJsonFile(path);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // Missing or broken: probing again is always right.
  }
}

/** Runs a container that does nothing but end. Null when that worked, else why not. */
async function tryRuntime(path: string, dir: string, options: RuntimeOptions): Promise<string | null> {
  if (!isExecutable(path)) return 'not an executable file';
  const id = `${PROBE_PREFIX}${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const bundle = join(dir, id);
  try {
    // crun makes no mount points for itself: it wants a /dev.
    mkdirSync(join(bundle, 'rootfs', 'dev'), { recursive: true, mode: 0o755 });
    for (const name of ['bin', 'lib', 'lib64', 'sbin'])
      symlinkSync(`usr/${name}`, join(bundle, 'rootfs', name));
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(probeSpec(options.rootless)));
    const argv = [path, '--root', join(dir, 'probe'), 'run', '--bundle', bundle, id];
    const result = await run(argv, {
      env: TOOL_ENV,
      timeoutMs: PROBE_TIMEOUT_MS,
      signal: options.signal,
      maxBytes: 8192,
    });
    return result.failed ? failureOf(result) : null;
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
}

function probeSpec(rootless: boolean): object {
  const bind = { destination: '/usr', type: 'bind', source: '/usr', options: ['rbind', 'ro'] };
  const id = (hostID: number | undefined) => [{ containerID: 0, hostID: hostID ?? 0, size: 1 }];
  const mappings = rootless
    ? { uidMappings: id(process.getuid?.()), gidMappings: id(process.getgid?.()) }
    : {};
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['/bin/sh', '-c', ':'],
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [bind, { destination: '/proc', type: 'proc', source: 'proc' }],
    linux: {
      ...mappings,
      namespaces: ['pid', 'mount', 'ipc', 'network', ...(rootless ? ['user'] : [])].map((type) => ({ type })),
    },
  };
}

function failureOf(result: RunResult): string {
  if (result.timedOut) return 'a trial container did not end in time';
  return decodeUtf8(result.stderr).trim().split('\n').at(-1) || `exit code ${result.exitCode}`;
}

export interface Container {
  readonly runtime: string;
  readonly root: string;
  readonly id: string;
}

/** The identity of the container's PID 1 as the runtime noted it, or null when it has none that lives. */
export function readInit(pidFile: string): ProcessIdentity | null {
  try {
    return identify(Number(readFileSync(pidFile, 'utf8').trim()));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Kills what runs in it and forgets it; also when it was never made. Throws `SPRITE_KILL_FAILED`. */
export async function deleteContainer(container: Container, { signal }: Waiting = {}): Promise<void> {
  if (statSync(join(container.root, container.id), { throwIfNoEntry: false }) === undefined) return;
  const argv = [container.runtime, '--root', container.root, 'delete', '--force', container.id];
  const result = await run(argv, { env: TOOL_ENV, timeoutMs: CALL_TIMEOUT_MS, signal, maxBytes: 8192 });
  const isGone = statSync(join(container.root, container.id), { throwIfNoEntry: false }) === undefined;
  if (isGone) return;
  throw new WreckitError('SPRITE_KILL_FAILED', `container ${container.id}: ${failureOf(result)}`, {
    retryable: true,
  });
}

/** Other limits for a container that runs. Throws `CONFLICT` where it uses more than that now. */
export async function updateLimits(
  container: Container,
  limits: object,
  { signal }: Waiting = {},
): Promise<void> {
  const argv = [container.runtime, '--root', container.root, 'update', '--resources', '-', container.id];
  const result = await run(argv, {
    env: TOOL_ENV,
    stdin: JSON.stringify(limits),
    timeoutMs: CALL_TIMEOUT_MS,
    signal,
    maxBytes: 8192,
  });
  if (!result.failed) return;
  signal?.throwIfAborted();
  const said = failureOf(result);
  const isInUse = /device or resource busy|unable to set memory limit/i.test(said);
  throw new WreckitError(
    isInUse ? 'CONFLICT' : 'INTERNAL',
    isInUse ? 'limits: the sprite uses more than that now' : `limits: the runtime failed: ${said}`,
    isInUse ? { hint: 'end what uses it (wisp sessions NAME), or stop the sprite and set them then' } : {},
  );
}
