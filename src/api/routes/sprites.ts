/** Sprites themselves: made, listed, watched, changed, removed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { assertSpriteName, quote } from '../../contract/names.ts';
import type { Sprite } from '../../contract/schemas.ts';
import { formatDuration } from '../../contract/units.ts';
import type { StartSpec } from '../../engine/engine.ts';
import { toWreckitError, WreckitError } from '../../errors.ts';
import type { ApiContext } from '../api-context.ts';
import { isVariableName } from '../exec/exec-query.ts';
import { findSprite } from '../find-sprite.ts';
import { json, ndjson, noContent, type Reply } from '../reply.ts';
import { httpRoute, type Route } from '../route.ts';
import { flag, wholeNumber } from '../schemas/query.ts';
import {
  ApiSprite,
  CheckResult,
  CreateSprite,
  RestartResult,
  SpriteList,
  UpdateSprite,
} from '../schemas/sprites.ts';
import { snakeKeys } from '../snake-keys.ts';
import {
  apiSprite,
  labelRecord,
  organizationOf,
  spriteEvent,
  URL_ACCESS_ANNOTATION,
  URL_AUTH_ANNOTATION,
} from '../sprite-text.ts';
import type { SpriteChange } from '../sprite-watch.ts';

const MAX_PAGE = 50;
const HEARTBEAT_MS = 15_000;
const CHECK_TIMEOUT_MS = 10_000;
const MIB = 1024 ** 2;
/** Below this a sprite can't start; a client that asks for less gets the least there is. */
const MIN_RAM_MB = 16;

const create = httpRoute({
  method: 'POST',
  path: '/v1/sprites',
  summary: 'Create a sprite',
  description: '409 if a sprite of this name exists.',
  body: z.preprocess((body) => snakeKeys(body, ['environment']), CreateSprite),
  answers: { 201: ApiSprite },
  async handle({ api, body, signal }) {
    const name = assertSpriteName(body.name);
    const exists = new WreckitError('SPRITE_EXISTS', `sprite ${quote(name)}: there is one of this name`);
    // `start` would wake the one there is, or compare it with what is asked for.
    const sameName = await api.engine.list({ prefix: name }, { signal });
    if (sameName.some((sprite) => sprite.name === name)) throw exists;
    const { sprite, created } = await api.engine.start(startSpecOf(api, name, body), { signal });
    if (!created) throw exists;
    return json(apiSprite(sprite, api.settings.organization), 201);
  },
});

function startSpecOf(
  { settings }: ApiContext,
  name: string,
  { config, environment, labels, url_settings: urlSettings, network, allow }: z.output<typeof CreateSprite>,
): StartSpec {
  for (const [key, value] of Object.entries(environment ?? {})) {
    if (isVariableName(key) && !value.includes('\0')) continue;
    throw new WreckitError('USAGE', `body "environment": ${quote(key)} can't be a variable`);
  }
  return {
    name,
    network: network ?? (allow ? undefined : settings.network),
    allow: allow ?? undefined,
    env: environment ?? undefined,
    labels: labels ? labelRecord(labels) : undefined,
    annotations: annotationsOf(urlSettings),
    softLimits: true,
    memoryBytes:
      config?.ram_mb === undefined ? undefined : Math.max(MIN_RAM_MB, Math.round(config.ram_mb)) * MIB,
    cpus: config?.cpus,
  };
}

function annotationsOf(settings: z.output<typeof CreateSprite>['url_settings']): Record<string, string> {
  if (!settings) return {};
  return {
    [URL_AUTH_ANNOTATION]: settings.auth,
    ...(settings.private_access === undefined ? {} : { [URL_ACCESS_ANNOTATION]: settings.private_access }),
  };
}

const ListQuery = z.object({
  prefix: z.string().max(63).default(''),
  max_results: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe('1 to 50; more counts as 50'),
  continuation_token: z.string().max(256).optional(),
  bulk_load: flag.describe('Without meaning here'),
});

const list = httpRoute({
  method: 'GET',
  path: '/v1/sprites',
  summary: 'List sprites, or with Accept: application/x-ndjson watch them for changes',
  query: ListQuery,
  answers: { 200: SpriteList },
  async handle({ api, query, request, signal }) {
    if (request.headers.accept?.includes('application/x-ndjson')) {
      return ndjson(spriteEvents(api, query.prefix, signal));
    }
    return await listPage(api, query, signal);
  },
});

async function listPage(
  api: ApiContext,
  { prefix, max_results: wanted, continuation_token: token }: z.output<typeof ListQuery>,
  signal: AbortSignal,
): Promise<Reply> {
  const { organization } = api.settings;
  const after = token === undefined || token === '' ? '' : nameOfToken(token);
  const all = await api.engine.list({}, { signal });
  const size = Math.min(MAX_PAGE, wanted || MAX_PAGE);
  const matching = all.filter(({ name }) => name.startsWith(prefix) && name > after).sort(byName);
  const page = matching.slice(0, size);
  const hasMore = matching.length > page.length;
  const org = organizationOf(all, organization);
  return json({
    sprites: page.map((sprite) => apiSprite(sprite, organization)),
    has_more: hasMore,
    next_continuation_token: hasMore ? tokenOf(page.at(-1)?.name ?? '') : null,
    ...org,
    org,
  });
}

function byName(a: Sprite, b: Sprite): number {
  return a.name < b.name ? -1 : 1;
}

/** A page goes on after the last name of the one before, so that nothing shifts when sprites come and go. */
function tokenOf(name: string): string {
  return Buffer.from(`after:${name}`).toString('base64url');
}

function nameOfToken(token: string): string {
  const name = /^after:([a-z0-9-]{1,63})$/.exec(Buffer.from(token, 'base64url').toString('utf8'))?.[1];
  if (name !== undefined) return name;
  throw new WreckitError('USAGE', `query "continuation_token": ${quote(token)} is none of ours`);
}

async function* spriteEvents(api: ApiContext, prefix: string, signal: AbortSignal): AsyncGenerator<unknown> {
  const waiting: SpriteChange[] = [];
  let wake = new AbortController();
  using _watch = await api.sprites.watch((changes) => {
    waiting.push(...changes.filter(({ sprite }) => sprite.name.startsWith(prefix)));
    wake.abort();
  });
  yield { type: 'heartbeat' };
  const end = AbortSignal.any([signal, api.draining]);
  while (!end.aborted) {
    const stop = AbortSignal.any([end, wake.signal]);
    const isQuiet = await sleep(HEARTBEAT_MS, true, { signal: stop }).catch(() => false);
    wake = new AbortController();
    if (isQuiet) yield { type: 'heartbeat' };
    for (let change = waiting.shift(); change !== undefined; change = waiting.shift()) {
      yield spriteEvent(change, api.settings.organization);
    }
  }
}

const get = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}',
  summary: 'Get a sprite; does not wake it',
  answers: { 200: ApiSprite },
  async handle({ api, params, signal }) {
    return json(apiSprite(await findSprite(api.engine, params.name, signal), api.settings.organization));
  },
});

const update = httpRoute({
  method: 'PUT',
  path: '/v1/sprites/{name}',
  summary: 'Change labels and URL settings',
  body: z.preprocess((body) => snakeKeys(body), UpdateSprite),
  answers: { 200: ApiSprite },
  async handle({ api, params, body, signal }) {
    const sprite = await findSprite(api.engine, params.name, signal);
    const labels = body.clear_labels ? {} : body.labels ? labelRecord(body.labels) : undefined;
    const annotations = body.url_settings
      ? { ...sprite.annotations, ...annotationsOf(body.url_settings) }
      : undefined;
    const updated = await api.engine.update(params.name, { labels, annotations }, { signal });
    return json(apiSprite(updated, api.settings.organization));
  },
});

const remove = httpRoute({
  method: 'DELETE',
  path: '/v1/sprites/{name}',
  summary: 'Delete a sprite and everything in it',
  answers: { 204: null },
  async handle({ api, params }) {
    // Not given up when the client goes: half removed is no state to leave it in.
    await api.engine.kill(params.name);
    return noContent();
  },
});

const upgrade = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/upgrade',
  summary: "Does nothing: a sprite always has its engine's version",
  answers: { 204: null },
  async handle({ api, params, signal }) {
    await findSprite(api.engine, params.name, signal);
    return noContent();
  },
});

const restart = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/restart',
  summary: 'Restart a sprite: end all its processes and start it again',
  answers: { 200: RestartResult },
  async handle({ api, params }) {
    await api.engine.stop(params.name);
    const sprite = await api.engine.wake(params.name);
    return json({ sprite_name: sprite.name, machine_id: sprite.id, message: 'restarted' });
  },
});

const check = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/check',
  summary: 'Check the health of a sprite; one that sleeps is not woken',
  answers: { 200: CheckResult },
  async handle({ api, params, signal }) {
    const startedAt = performance.now();
    const sprite = await findSprite(api.engine, params.name, signal);
    const reason = await complaintOf(api, sprite, signal);
    return json({
      sprite_name: sprite.name,
      sprite_id: sprite.id,
      status: reason === null ? 'healthy' : 'unhealthy',
      reason,
      checked_at: new Date().toISOString(),
      elapsed: formatDuration(performance.now() - startedAt),
    });
  },
});

async function complaintOf(
  { engine }: ApiContext,
  sprite: Sprite,
  signal: AbortSignal,
): Promise<string | null> {
  if (sprite.error !== null) return sprite.error;
  if (sprite.state !== 'running') return null;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
    await engine.files.list(sprite.name, '/', { signal: limit });
    return null;
  } catch (thrown) {
    return toWreckitError(thrown).message;
  }
}

export const spriteRoutes: readonly Route[] = [create, list, get, update, remove, upgrade, restart, check];
