/**
 * A sprite that is there, has what was asked for, and has run a command.
 *
 *   look ─▶ there: as asked for? wake it                    ─┐
 *        └▶ not there: make it ─▶ network in force? limits? ─┴▶ run a command ─▶ ready
 *                                     └ no: remove it again, say what the server can't do
 *
 * Nothing of a run (files, secrets, code) is in it before its network is what was asked for.
 */
import { quote } from '../../contract/names.ts';
import type { Network, Sprite } from '../../contract/schemas.ts';
import { SpriteStartError, toWreckitError, WreckitError } from '../../errors.ts';
import { pause } from '../../process/abort.ts';
import type { StartSpec, Waiting } from '../engine.ts';
import type { NetworkRule, PolicyPart } from '../policy.ts';
import { NoHandshake } from './api-channel.ts';
import type { ApiClient } from './api-client.ts';
import type { CloudSessions } from './cloud-sessions.ts';
import type { CloudSprites } from './cloud-sprites.ts';
import { networkOfRules, rulesFor } from './network-rules.ts';
import { INSIDE_NAME, runInside } from './run-inside.ts';
import { labelList, networkOf, PROJECT_DIR } from './sprite-text.ts';

export interface StartParts {
  readonly client: ApiClient;
  readonly sprites: CloudSprites;
  readonly sessions: CloudSessions;
  readonly network: PolicyPart<readonly NetworkRule[]>;
  /** What was known of sessions of this name is of another sprite. */
  readonly forget: (name: string) => void;
}

const MIB = 1024 ** 2;
/** A cold sprite wakes in seconds; a new one on a busy service may take longer. */
const READY_WITHIN_MS = 120_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const NO_VARIABLE = 3;
/** Makes the project's directory, and looks for the variables the sprite was made with. */
const PROBE = `mkdir -p "$1" || exit 1; shift; for name do eval "[ -n \\"\\\${$name+x}\\" ]" || exit ${NO_VARIABLE}; done`;

export async function startSprite(
  parts: StartParts,
  spec: StartSpec,
  waiting: Waiting = {},
): Promise<{ sprite: Sprite; created: boolean }> {
  const { name } = spec;
  refuseUnsupported(spec);
  const there = await usable(parts, name, waiting);
  const made = there === null ? await create(parts, spec, waiting) : { ...there, created: false };
  if (!made.created) {
    assertFits(spec, made.sprite);
    assertSame(spec, await withNetwork(parts, made.sprite, made.raw, waiting));
    await waitUntilReady(parts, name, [], waiting);
    const { sprite, raw } = await parts.sprites.get(name, waiting);
    return { sprite: await withNetwork(parts, sprite, raw, waiting), created: false };
  }
  parts.forget(name);
  try {
    const warnings = assertLimits(spec, made.sprite);
    const network = await settleNetwork(parts, spec, made.raw, waiting);
    await waitUntilReady(parts, name, Object.keys(spec.env ?? {}), waiting);
    const { sprite } = await parts.sprites.get(name, waiting);
    return {
      sprite: { ...sprite, network, warnings: [...(sprite.warnings ?? []), ...warnings] },
      created: true,
    };
  } catch (thrown) {
    // Half of what was asked for is not what was asked for, and it would cost. Not given up with the caller.
    await parts.sprites.remove(name).catch((fault: unknown) => {
      throw new SpriteStartError(
        `start sprite ${quote(name)}: ${toWreckitError(thrown).message}; it could not be removed again: ${toWreckitError(fault).message}`,
        { hint: `remove it: wisp --engine cloud kill ${name}`, cause: thrown },
      );
    });
    throw thrown;
  }
}

/** One whose time is up is as good as gone: whoever collects it next, from whichever machine, would remove it in use. */
async function usable({ sprites }: StartParts, name: string, waiting: Waiting) {
  const there = await sprites.find(name, waiting);
  const expiresAt = there?.sprite.expires_at ?? null;
  if (expiresAt === null || Date.parse(expiresAt) > Date.now()) return there;
  await sprites.remove(name, waiting);
  return null;
}

/** Until a command has run in it. A server that is still waking it refuses, or takes long. */
export async function waitUntilReady(
  { sessions }: Pick<StartParts, 'sessions'>,
  name: string,
  variables: readonly string[],
  { signal }: Waiting = {},
): Promise<void> {
  const giveUpAt = performance.now() + READY_WITHIN_MS;
  const command = ['/bin/sh', '-c', PROBE, INSIDE_NAME, PROJECT_DIR, ...variables];
  for (let waitMs = FIRST_PAUSE_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const { exitCode, stderr } = await runInside(sessions, name, command, { signal });
      if (exitCode === 0) return;
      if (exitCode === NO_VARIABLE) throw noVariables(name);
      const said = stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
      throw new SpriteStartError(
        `start sprite ${quote(name)}: its first command ended with ${exitCode}: ${said}`,
      );
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = toWreckitError(thrown);
      const isWaking = error instanceof NoHandshake || error.retryable || WAKING.has(error.code);
      // As many run as may: that does not pass by waiting for this one.
      if (!isWaking || error.code === 'SPRITE_LIMIT' || performance.now() + waitMs > giveUpAt) throw error;
    }
    await pause(waitMs, signal);
  }
}

/** The command is harmless and may be run twice. */
const WAKING = new Set(['TIMEOUT', 'ENGINE_UNAVAILABLE', 'SESSION_LOST', 'SPRITE_EXEC_FAILED']);

/** Where the server does not say, its rules do. */
export async function withNetwork(
  { network }: Pick<StartParts, 'network'>,
  sprite: Sprite,
  raw: Readonly<Record<string, unknown>>,
  waiting: Waiting,
): Promise<Sprite> {
  if (networkOf(raw) !== undefined) return sprite;
  try {
    return { ...sprite, network: networkOfRules(await network.get(sprite.name, waiting)) };
  } catch (thrown) {
    waiting.signal?.throwIfAborted();
    const warning = `its network policy can't be read: ${toWreckitError(thrown).message}`;
    return { ...sprite, warnings: [...(sprite.warnings ?? []), warning] };
  }
}

async function create(parts: StartParts, spec: StartSpec, waiting: Waiting) {
  const { name, env, memoryBytes, cpus, labels = {}, owner, ttlMs, allow } = spec;
  const expiresAt = ttlMs === undefined ? undefined : new Date(Date.now() + ttlMs).toISOString();
  const list = labelList(labels, { owner, expiresAt });
  const config = {
    ...(memoryBytes === undefined ? {} : { ram_mb: Math.round(memoryBytes / MIB) }),
    ...(cpus === undefined ? {} : { cpus }),
  };
  const canSetNetwork = parts.client.extensions?.has('create-network') === true;
  const mode = networkOfSpec(spec);
  return await parts.sprites.create(
    name,
    {
      ...(Object.keys(config).length === 0 ? {} : { config }),
      ...(env === undefined ? {} : { environment: env }),
      ...(list.length === 0 ? {} : { labels: list }),
      ...(canSetNetwork && mode !== undefined ? { network: mode } : {}),
      ...(canSetNetwork && allow !== undefined ? { allow } : {}),
    },
    waiting,
  );
}

function networkOfSpec({ network, allow }: StartSpec): Network | undefined {
  return network ?? (allow === undefined ? undefined : 'filtered');
}

/** What is in force once it returns. Throws `POLICY_DENIED`. */
async function settleNetwork(
  { network: policy }: StartParts,
  spec: StartSpec,
  raw: Readonly<Record<string, unknown>>,
  waiting: Waiting,
): Promise<Network> {
  const { name, allow } = spec;
  const wanted = networkOfSpec(spec);
  const told = networkOf(raw);
  if (told !== undefined) {
    if (wanted === undefined || wanted === told) return told;
    throw denied(name, wanted, told);
  }
  if (wanted === undefined) return networkOfRules(await policy.get(name, waiting));
  if (wanted !== 'open') await policy.set(name, rulesFor(wanted, allow), waiting);
  const inForce = networkOfRules(await policy.get(name, waiting));
  if (inForce === wanted) return wanted;
  throw denied(name, wanted, inForce);
}

function denied(name: string, wanted: Network, inForce: Network): WreckitError {
  return new WreckitError(
    'POLICY_DENIED',
    `start sprite ${quote(name)}: its network is "${inForce}", not "${wanted}"`,
    {
      hint: 'the server decides it: leave out --network to take what it gives',
      details: { wanted, in_force: inForce },
    },
  );
}

/** What no server of the API can do is refused before anything is made. Throws `UNSUPPORTED`. */
function refuseUnsupported(spec: StartSpec): void {
  const { name, image, from, pids, maxSprites, softLimits, network, allow } = spec;
  const no = (what: string, hint: string): WreckitError =>
    new WreckitError('UNSUPPORTED', `start sprite ${quote(name)}: the cloud engine has no ${what}`, { hint });
  if (image !== undefined && image !== 'host')
    throw no('images', 'leave out --image: sprites there have one of their own');
  if (from !== undefined)
    throw no('copies of sprites', 'start a plain one, and push to it what the other one has (pull, push)');
  if (maxSprites !== undefined)
    throw no('limit of sprites', 'leave out --max-sprites, and count them first (list)');
  if (pids !== undefined && softLimits !== true) throw no('limit of processes', 'leave out --pids');
  if (allow !== undefined && network !== undefined && network !== 'filtered') {
    throw new WreckitError('USAGE', `start sprite ${quote(name)}: --allow needs the network "filtered"`);
  }
}

/** What can't be seen to be in force is a refusal, or with soft limits a warning. Throws `UNSUPPORTED`. */
function assertLimits(spec: StartSpec, sprite: Sprite): string[] {
  const { memoryBytes, cpus, softLimits = false } = spec;
  assertFits(spec, sprite);
  const missed = [
    memoryBytes === undefined || sprite.resources.memory_bytes === memoryBytes ? [] : ['memory'],
    cpus === undefined || sprite.resources.cpus === cpus ? [] : ['CPUs'],
  ].flat();
  if (missed.length === 0) return [];
  const what = missed.join(' and ');
  if (softLimits)
    return [`the server does not say that it limits ${what} as asked: it may give more, or less`];
  throw new WreckitError(
    'UNSUPPORTED',
    `start sprite ${quote(spec.name)}: the server does not limit ${what} as asked`,
    {
      hint: 'leave the limit out, or say that it is a wish: --soft-limits',
      details: {
        wanted: { memory_bytes: memoryBytes ?? null, cpus: cpus ?? null },
        in_force: sprite.resources,
      },
    },
  );
}

/** What was asked for explicitly and can't be seen to be so of the sprite there is. Throws `SPRITE_EXISTS`. */
function assertSame(spec: StartSpec, { network, resources }: Sprite): void {
  const { memoryBytes, cpus, softLimits = false } = spec;
  const pairs: [string, unknown, unknown][] = [
    ['network', networkOfSpec(spec), network],
    ['memory', softLimits ? undefined : memoryBytes, resources.memory_bytes],
    ['cpus', softLimits ? undefined : cpus, resources.cpus],
  ];
  const different = pairs.filter(([, wanted, has]) => wanted !== undefined && wanted !== has);
  if (different.length === 0) return;
  const fields = different.map(([field]) => field);
  throw new WreckitError(
    'SPRITE_EXISTS',
    `sprite ${quote(spec.name)}: it exists with another ${fields.join(', ')}`,
    {
      hint: `kill it first (wisp --engine cloud kill ${spec.name}), or start it without these flags`,
      details: { different: fields },
    },
  );
}

const LEVELS = ['namespace', 'userkernel', 'vm'];

/** Throws `ISOLATION_UNAVAILABLE`. */
function assertFits({ name, minIsolation }: StartSpec, { isolation }: Sprite): void {
  if (minIsolation === undefined) return;
  if (isolation !== null && LEVELS.indexOf(isolation) >= LEVELS.indexOf(minIsolation)) return;
  throw new WreckitError(
    'ISOLATION_UNAVAILABLE',
    `start sprite ${quote(name)}: its isolation is ${isolation === null ? 'not known' : quote(isolation)}, ${quote(minIsolation)} is wanted`,
    { hint: 'ask for less, or use another server', details: { isolation, min_isolation: minIsolation } },
  );
}

function noVariables(name: string): WreckitError {
  return new WreckitError(
    'UNSUPPORTED',
    `start sprite ${quote(name)}: the server keeps no variables with a sprite`,
    {
      hint: 'leave out --env, and give the variables to each command: exec --env NAME=VALUE',
    },
  );
}
