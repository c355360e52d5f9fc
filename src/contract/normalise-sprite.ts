/** Sprites in the answers of a wisp program (see normalise.ts). */
import { integerOr, isObject, numberOr, textOr, textRecordOf, textsOf } from './json-value.ts';
import { isSpriteName } from './names.ts';
import { collect, listIn, type Normalised } from './normalise-list.ts';
import { normaliseSession } from './normalise-session.ts';
import { protocolError } from './parse.ts';
import type { Network, Sprite, SpriteState } from './schemas.ts';

const STATES = ['creating', 'running', 'warm', 'cold', 'stopping', 'error', 'unknown'];
const NETWORKS = ['open', 'filtered', 'none'];

/** Sprites of an array, `{sprites}` or `{data:{sprites}}`; one without a usable name is dropped. */
export function normaliseSprites(data: unknown, verb: string): Normalised<Sprite> {
  const raw = listIn(data, 'sprites');
  if (raw === undefined) throw protocolError(verb, 'its answer has no list of sprites');
  return collect(raw, (item) => normaliseSprite(item), 'a sprite without a valid name');
}

/** The sprite of `{sprite}` or of a bare object. */
export function normaliseOneSprite(data: unknown, verb: string): Sprite {
  const inner = isObject(data) && isObject(data.sprite) ? data.sprite : data;
  const sprite = normaliseSprite(inner);
  if (sprite === undefined) throw protocolError(verb, 'its answer has no sprite');
  return sprite;
}

function normaliseSprite(raw: unknown): Sprite | undefined {
  if (!isObject(raw) || !isSpriteName(raw.name)) return undefined;
  const { name } = raw;
  const resources = isObject(raw.resources) ? raw.resources : {};
  return {
    ...raw,
    name,
    id: textOr(raw.id, name),
    state: stateOf(raw.state ?? raw.status),
    engine: textOr(raw.engine, 'unknown'),
    isolation: textOr(raw.isolation, null),
    created_at: textOr(raw.created_at, ''),
    last_active_at: textOr(raw.last_active_at, null),
    labels: textRecordOf(raw.labels),
    resources: {
      ...resources,
      memory_bytes: numberOr(resources.memory_bytes, null),
      cpus: numberOr(resources.cpus, null),
      pids: numberOr(resources.pids, null),
    },
    network: networkOf(raw.network),
    image: textOr(raw.image, ''),
    workdir: textOr(raw.workdir, ''),
    sessions: Array.isArray(raw.sessions)
      ? collect(raw.sessions, normaliseSession, '').items
      : integerOr(raw.sessions, 0),
    owner: textOr(raw.owner, null),
    expires_at: textOr(raw.expires_at, null),
    error: textOr(raw.error, null),
    usage: usageOf(raw.usage),
    warnings: textsOf(raw.warnings),
  };
}

function stateOf(value: unknown): SpriteState {
  return typeof value === 'string' && STATES.includes(value) ? (value as SpriteState) : 'unknown';
}

/** A program that doesn't say is not taken to have closed the network. */
function networkOf(value: unknown): Network {
  return typeof value === 'string' && NETWORKS.includes(value) ? (value as Network) : 'open';
}

function usageOf(value: unknown): NonNullable<Sprite['usage']> {
  const usage = isObject(value) ? value : {};
  return {
    ...usage,
    memory_bytes: numberOr(usage.memory_bytes, null),
    cpu_ms: numberOr(usage.cpu_ms, null),
    pids: numberOr(usage.pids, null),
    disk_bytes: numberOr(usage.disk_bytes, null),
  };
}
