/** A sprite as the API tells it. Its `labels` are a list: `team=web` for a label with a value, else the key. */
import type { z } from 'zod';
import type { Sprite, SpriteState } from '../contract/schemas.ts';
import type { ApiSprite, Organization, SpriteStatus } from './schemas/sprites.ts';
import type { SpriteChange } from './sprite-watch.ts';

export const URL_AUTH_ANNOTATION = 'api.url_auth';
export const URL_ACCESS_ANNOTATION = 'api.url_private_access';

/** What runs nothing is cold to a client: it will be woken, made or refused when something is asked of it. */
export function statusOf(state: SpriteState): z.output<typeof SpriteStatus> {
  return state === 'running' || state === 'warm' ? state : 'cold';
}

export function apiSprite(sprite: Sprite, organization: string): z.output<typeof ApiSprite> {
  const { annotations = {} } = sprite;
  const privateAccess = annotations[URL_ACCESS_ANNOTATION];
  return {
    id: sprite.id,
    name: sprite.name,
    organization,
    org_slug: organization,
    // Nothing of a sprite here is on the internet.
    url: '',
    url_settings: {
      auth: annotations[URL_AUTH_ANNOTATION] === 'public' ? 'public' : 'sprite',
      ...(privateAccess === 'admins' || privateAccess === 'org_users'
        ? { private_access: privateAccess }
        : {}),
    },
    status: statusOf(sprite.state),
    created_at: sprite.created_at,
    updated_at: sprite.last_active_at ?? sprite.created_at,
    last_running_at: sprite.last_active_at,
    last_warming_at: null,
    version: null,
    environment_version: null,
    labels: labelList(sprite.labels),
    state: sprite.state,
    isolation: sprite.isolation,
    network: sprite.network,
    resources: {
      memory_bytes: sprite.resources.memory_bytes,
      cpus: sprite.resources.cpus,
      pids: sprite.resources.pids,
    },
    warnings: sprite.warnings ?? [],
    error: sprite.error,
  };
}

export function labelList(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
}

export function labelRecord(labels: readonly string[]): Record<string, string> {
  const entries = labels.map((label): [string, string] => {
    const at = label.indexOf('=');
    return at <= 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

export function organizationOf(sprites: readonly Sprite[], name: string): z.output<typeof Organization> {
  const count = (status: string): number => sprites.filter(({ state }) => statusOf(state) === status).length;
  const counters = { running: count('running'), warm: count('warm'), cold: count('cold') };
  return { name, ...counters, running_limit: null, warm_limit: null };
}

export function spriteEvent({ sprite, isGone, all }: SpriteChange, organization: string): unknown {
  return {
    type: isGone ? 'deleted' : 'state',
    name: sprite.name,
    status: isGone ? 'cold' : statusOf(sprite.state),
    running_version: null,
    last_running_at: sprite.last_active_at,
    last_warming_at: null,
    timestamp: new Date().toISOString(),
    org: organizationOf(all, organization),
  };
}
