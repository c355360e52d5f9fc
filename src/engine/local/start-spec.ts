/** What `start` asks for, checked against what this engine and this machine can give, with defaults filled in. */
import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Network } from '../../contract/schemas.ts';
import { formatBytes } from '../../contract/units.ts';
import { SpriteStartError, WreckitError } from '../../errors.ts';
import type { StartSpec } from '../engine.ts';
import type { NetworkRule } from '../policy.ts';
import { chooseSpriteUser } from './accounts.ts';
import { type CgroupSupport, cgroupSupport } from './cgroup.ts';
import { DEFAULT_RULES } from './egress/policy-file.ts';
import { checkRules } from './egress/rules.ts';
import { HOST_IMAGE } from './images.ts';
import { checkedEnv } from './program-strings.ts';
import { RECORD_VERSION, type SpriteRecord } from './record.ts';

const GIB = 1024 ** 3;
const MIN_MEMORY_BYTES = 16 * 1024 ** 2;
const DEFAULT_MEMORY_BYTES = 4 * GIB;
const DEFAULT_PIDS = 2048;
const MIN_PIDS = 16;
/** What the kernel takes for a limit (PID_MAX_LIMIT on 64 bits). */
const MAX_PIDS = 4_194_304;
/** A hundred years: the end of a sprite has to be a date that others can read. */
const MAX_TTL_MS = 36_500 * 86_400_000;
const MIN_IDLE_MS = 1_000;
/** Left to the host whatever a sprite writes. */
const DISK_RESERVE_BYTES = GIB;
const MIN_FREE_BYTES = 256 * 1024 ** 2;

export interface RecordInput {
  readonly spec: StartSpec;
  readonly runtime: string;
  readonly rootless: boolean;
  readonly home: string;
  readonly imageDir: string | null;
  /** The sprite this one is a copy of: its files keep their owner. */
  readonly source: SpriteRecord | null;
  /** Directories whose account files say which user ids are taken. */
  readonly etcDirs: readonly string[];
}

/** The word in an allow-list that stands for the preset. */
const PRESET = 'defaults';

/** The network a sprite gets: closed, unless something else is asked for. */
function networkOf({ network, allow }: StartSpec): Network {
  return network ?? (allow !== undefined && allow.length > 0 ? 'filtered' : 'none');
}

/** The rules an allow-list stands for: these names and no others; the preset where none is given. Throws `USAGE`. */
export function rulesOf({ allow }: StartSpec): readonly NetworkRule[] {
  if (allow === undefined || allow.length === 0) return DEFAULT_RULES;
  return checkRules(
    allow.map((domain) => (domain === PRESET ? { include: 'defaults' } : { domain, action: 'allow' })),
  );
}

/** Throws `UNSUPPORTED`, `ISOLATION_UNAVAILABLE`, `USAGE`, before anything is made. */
export function assertSupported(spec: StartSpec, rootless: boolean): void {
  const hasAllowList = spec.allow !== undefined && spec.allow.length > 0;
  if (hasAllowList && spec.network !== undefined && spec.network !== 'filtered') {
    throw new WreckitError(
      'USAGE',
      `allow: a list of domains needs network "filtered", not "${spec.network}"`,
    );
  }
  if (hasAllowList) rulesOf(spec);
  if (spec.minIsolation !== undefined && spec.minIsolation !== 'namespace') {
    throw new WreckitError(
      'ISOLATION_UNAVAILABLE',
      `isolation: ${JSON.stringify(spec.minIsolation)} was wanted, this machine gives "namespace"`,
    );
  }
  assertRanges(spec);
  assertEnforceable(spec, cgroupSupport(rootless));
}

function assertRanges({ memoryBytes, cpus, pids, ttlMs, idleTimeoutMs }: StartSpec): void {
  const bad = (what: string) => new WreckitError('USAGE', what);
  if (memoryBytes !== undefined && memoryBytes < MIN_MEMORY_BYTES) {
    throw bad(
      `memory: ${formatBytes(memoryBytes)} is too little, at least ${formatBytes(MIN_MEMORY_BYTES)} are needed`,
    );
  }
  if (cpus !== undefined && !(cpus >= 0.01 && cpus <= 1024))
    throw bad(`cpus: ${cpus} is not between 0.01 and 1024`);
  if (pids !== undefined && !(Number.isInteger(pids) && pids >= MIN_PIDS && pids <= MAX_PIDS))
    throw bad(`pids: ${pids} is not a whole number between ${MIN_PIDS} and ${MAX_PIDS}`);
  if (ttlMs !== undefined && !(ttlMs >= 1000))
    throw bad(`ttl: ${ttlMs} ms is too short, at least 1s is needed`);
  if (ttlMs !== undefined && ttlMs > MAX_TTL_MS)
    throw bad('ttl: more than 36500d, a hundred years, is too long');
  if (idleTimeoutMs !== undefined && idleTimeoutMs !== 0 && !(idleTimeoutMs >= MIN_IDLE_MS))
    throw bad(`idle timeout: ${idleTimeoutMs} ms is too short, at least 1s is needed (or never)`);
}

const LIMIT_FLAGS = [
  ['memory', 'memoryBytes'],
  ['cpu', 'cpus'],
  ['pids', 'pids'],
] as const;

function assertEnforceable(spec: StartSpec, support: CgroupSupport): void {
  if (spec.softLimits) return;
  for (const [controller, field] of LIMIT_FLAGS) {
    if (spec[field] === undefined || support.controllers.has(controller)) continue;
    throw new WreckitError(
      'UNSUPPORTED',
      `limits: this machine can't enforce a ${controller} limit for you`,
      {
        hint: 'leave the flag out, or run as root (see: wreckit doctor)',
        details: { cgroup_mode: support.mode },
      },
    );
  }
}

export function newRecord({
  spec,
  runtime,
  rootless,
  home,
  imageDir,
  source,
  etcDirs,
}: RecordInput): SpriteRecord {
  const support = cgroupSupport(rootless);
  const network = networkOf(spec);
  const now = Date.now();
  const limits = limitsOf(spec, support);
  return {
    version: RECORD_VERSION,
    name: spec.name,
    id: crypto.randomUUID(),
    phase: 'creating',
    created_at: new Date(now).toISOString(),
    expires_at: spec.ttlMs === undefined ? null : new Date(now + spec.ttlMs).toISOString(),
    owner: spec.owner ?? null,
    labels: spec.labels ?? {},
    annotations: spec.annotations ?? {},
    env: checkedEnv(spec.env ?? {}),
    image: spec.image ?? HOST_IMAGE,
    image_dir: imageDir,
    limits,
    network,
    ...(source?.profile === undefined ? {} : { profile: source.profile }),
    isolation: 'namespace',
    rootless,
    runtime,
    ...(source === null ? chooseSpriteUser(etcDirs) : { uid: source.uid, gid: source.gid }),
    warnings: warningsOf(network, support, rootless),
    ...(spec.idleTimeoutMs === undefined ? {} : { idle_timeout_ms: spec.idleTimeoutMs }),
    max_file_bytes: maxFileBytes(home),
    init: null,
  };
}

/** A limit that the machine can't enforce is recorded as none, never as if it held. */
export function limitsOf(
  spec: Pick<StartSpec, 'memoryBytes' | 'cpus' | 'pids'>,
  { controllers }: CgroupSupport,
): SpriteRecord['limits'] {
  const defaultMemory = Math.min(DEFAULT_MEMORY_BYTES, Math.floor(totalmem() / 2));
  return {
    memory_bytes: controllers.has('memory') ? (spec.memoryBytes ?? defaultMemory) : null,
    cpus: controllers.has('cpu') ? (spec.cpus ?? null) : null,
    pids: controllers.has('pids') ? (spec.pids ?? DEFAULT_PIDS) : null,
  };
}

function warningsOf(network: Network, { controllers }: CgroupSupport, rootless: boolean): string[] {
  const warnings: string[] = [];
  if (network === 'open') {
    warnings.push(
      "network open: the sprite shares the host's network, with all it can reach, loopback services included",
    );
  }
  const missing = (['memory', 'cpu', 'pids'] as const).filter((name) => !controllers.has(name));
  if (missing.length > 0) {
    const why = rootless
      ? 'no control groups are delegated to this user'
      : 'the control groups are not available';
    warnings.push(`limits: ${missing.join(', ')} not limited: ${why}`);
  }
  return warnings;
}

/** Throws `SPRITE_START_FAILED` on a full disk. */
function maxFileBytes(home: string): number {
  const { bavail, bsize } = statfsSync(home);
  const free = bavail * bsize;
  if (free < MIN_FREE_BYTES) {
    throw new SpriteStartError(
      `disk: ${formatBytes(free)} are free at ${home}, a sprite needs ${formatBytes(MIN_FREE_BYTES)}`,
      {
        hint: 'free some space (wreckit sprite gc), or set WISP_HOME to another disk',
      },
    );
  }
  return Math.max(MIN_FREE_BYTES, free - DISK_RESERVE_BYTES);
}

/** The fields in which a sprite that exists differs from what was asked for explicitly. */
export function differences(record: SpriteRecord, spec: StartSpec): string[] {
  const { limits } = record;
  const pairs: [string, unknown, unknown][] = [
    ['image', spec.image, record.image],
    ['network', spec.network ?? (spec.allow?.length ? networkOf(spec) : undefined), record.network],
    ['memory', spec.softLimits ? undefined : spec.memoryBytes, limits.memory_bytes],
    ['cpus', spec.softLimits ? undefined : spec.cpus, limits.cpus],
    ['pids', spec.softLimits ? undefined : spec.pids, limits.pids],
  ];
  return pairs.filter(([, wanted, has]) => wanted !== undefined && wanted !== has).map(([field]) => field);
}

/**
 * What was asked for and is not done to a sprite that exists, though `differences()` lets it pass; as a warning.
 * The labels of a run say whose it was, they are no wish. `rules` are those in force.
 */
export function leftAsItIs(record: SpriteRecord, spec: StartSpec, rules: readonly NetworkRule[]): string[] {
  const lacks = (has: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}) =>
    Object.entries(wanted).some(([key, value]) => has[key] !== value);
  const hasAllowList = spec.allow !== undefined && spec.allow.length > 0;
  const asked: [what: string, isLeft: boolean][] = [
    ['from', spec.from !== undefined],
    ['env', lacks(record.env, spec.env)],
    ['labels', spec.owner === undefined && lacks(record.labels, spec.labels)],
    ['ttl', spec.ttlMs !== undefined],
    ['allow', hasAllowList && JSON.stringify(rulesOf(spec)) !== JSON.stringify(rules)],
  ];
  const left = asked.filter(([, isLeft]) => isLeft).map(([what]) => what);
  if (left.length === 0) return [];
  return [
    `exists already: ${left.join(', ')} of this start changed nothing (to have it, kill the sprite first)`,
  ];
}
