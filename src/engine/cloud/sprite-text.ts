/**
 * A sprite of the API as the contract's sprite. The API's labels are a list of texts; `key=value` is ours, and
 * two of them are the engine's own: whose the sprite is, and when it may go.
 */
import { isObject, type JsonObject, numberOr, textOr, textsOf } from '../../contract/json-value.ts';
import { isSpriteName } from '../../contract/names.ts';
import type { Network, Sprite, SpriteState } from '../../contract/schemas.ts';
import type { ApiTarget } from './api-target.ts';

export const OWNER_LABEL = 'wisp-owner';
const EXPIRES_LABEL = 'wisp-expires';
export const PROJECT_DIR = '/home/sprite/project';

const STATES: readonly string[] = ['creating', 'running', 'warm', 'cold', 'stopping', 'error', 'unknown'];
const NETWORKS: readonly string[] = ['open', 'filtered', 'none'];
/** Where Fly says of its own service that each sprite is a virtual machine; nothing else is taken on trust. */
const VM_HOST = /(^|\.)sprites\.dev$/;

/** Undefined for what has no usable name. */
export function spriteOf(raw: unknown, target: ApiTarget): Sprite | undefined {
  if (!isObject(raw) || !isSpriteName(raw.name)) return undefined;
  const labels = labelRecord(textsOf(raw.labels));
  const { [OWNER_LABEL]: owner = null, [EXPIRES_LABEL]: expiresAt = null, ...others } = labels;
  const resources = isObject(raw.resources) ? raw.resources : {};
  const url = textOr(raw.url, '');
  return {
    name: raw.name,
    id: textOr(raw.id, ''),
    state: stateOf(raw),
    engine: 'cloud',
    isolation: isolationOf(raw, target),
    created_at: textOr(raw.created_at, ''),
    last_active_at: textOr(raw.last_running_at, textOr(raw.last_active_at, textOr(raw.updated_at, null))),
    labels: others,
    resources: {
      memory_bytes: numberOr(resources.memory_bytes, null),
      cpus: numberOr(resources.cpus, null),
      pids: numberOr(resources.pids, null),
    },
    network: networkOf(raw) ?? 'open',
    image: '',
    workdir: PROJECT_DIR,
    sessions: numberOr(raw.sessions, 0),
    owner,
    expires_at: expiresAt,
    error: textOr(raw.error, null),
    warnings: textsOf(raw.warnings),
    ...(url === '' ? {} : { url }),
    ...(typeof raw.organization === 'string' ? { organization: raw.organization } : {}),
  };
}

export function isolationOf(raw: JsonObject, { host, isSecure }: ApiTarget): string | null {
  if (typeof raw.isolation === 'string') return raw.isolation;
  return isSecure && VM_HOST.test(host) ? 'vm' : null;
}

/** Undefined: the server does not say; its policy has to be asked for. */
export function networkOf({ network }: JsonObject): Network | undefined {
  return typeof network === 'string' && NETWORKS.includes(network) ? (network as Network) : undefined;
}

function stateOf({ state, status }: JsonObject): SpriteState {
  const told = [state, status].find((text) => typeof text === 'string' && STATES.includes(text));
  return (told as SpriteState | undefined) ?? 'unknown';
}

export function labelList(
  labels: Readonly<Record<string, string>>,
  {
    owner,
    expiresAt,
  }: { readonly owner?: string | null | undefined; readonly expiresAt?: string | null | undefined },
): string[] {
  const all = {
    ...labels,
    ...(owner ? { [OWNER_LABEL]: owner } : {}),
    ...(expiresAt ? { [EXPIRES_LABEL]: expiresAt } : {}),
  };
  return Object.entries(all).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
}

function labelRecord(labels: readonly string[]): Record<string, string> {
  const entries = labels.map((label): [string, string] => {
    const at = label.indexOf('=');
    return at <= 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}
