/**
 * Sprites themselves, over the API: found, listed, made, removed. Every call that changes something looks at
 * what there is before it is repeated, so that a lost answer makes neither a second sprite nor a false failure.
 */
import { isObject, textOr } from '../../contract/json-value.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import type { Sprite } from '../../contract/schemas.ts';
import { SpriteKillError, toWreckitError, WreckitError } from '../../errors.ts';
import { pause } from '../../process/abort.ts';
import type { SpriteFilter, SpriteUpdate, Waiting } from '../engine.ts';
import { type ApiClient, apiPath } from './api-client.ts';
import { labelList, spriteOf } from './sprite-text.ts';

/** The API's own limit of a page. */
const PAGE_SIZE = 50;
/** Ten thousand sprites: beyond it something is wrong with the paging. */
const MAX_PAGES = 200;
const CREATE_TIMEOUT_MS = 120_000;
const DELETE_TIMEOUT_MS = 120_000;
const CREATE_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
/** How long a sprite that was deleted may still be shown. */
const GONE_WITHIN_MS = 20_000;

export class CloudSprites {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** The raw answer beside the sprite: what it does not say must be found out. Null: there is none. */
  async find(
    name: string,
    { signal }: Waiting = {},
  ): Promise<{ sprite: Sprite; raw: Record<string, unknown> } | null> {
    assertSpriteName(name);
    try {
      const raw = await this.#client.json({
        method: 'GET',
        route: apiPath(['sprites', name]),
        doing: `sprite ${quote(name)}`,
        canRepeat: true,
        signal,
      });
      return { sprite: this.#spriteNamed(name, raw), raw: isObject(raw) ? { ...raw } : {} };
    } catch (thrown) {
      if (thrown instanceof WreckitError && thrown.code === 'SPRITE_NOT_FOUND') return null;
      throw thrown;
    }
  }

  /** Throws `SPRITE_NOT_FOUND`. */
  async get(name: string, waiting: Waiting = {}): Promise<{ sprite: Sprite; raw: Record<string, unknown> }> {
    return (await this.find(name, waiting)) ?? notFound(name);
  }

  async list({ prefix, labels = {} }: SpriteFilter = {}, { signal }: Waiting = {}): Promise<Sprite[]> {
    const sprites = new Map<string, Sprite>();
    const seen = new Set<string>();
    let token: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = { prefix, max_results: PAGE_SIZE, continuation_token: token };
      const route = apiPath(['sprites'], query);
      const call = { method: 'GET', route, doing: 'list sprites', canRepeat: true, signal } as const;
      const answer = await this.#client.json(call);
      const items = isObject(answer) && Array.isArray(answer.sprites) ? answer.sprites : null;
      if (!isObject(answer) || items === null) throw noList(this.#client.target.url);
      for (const raw of items) {
        const sprite = spriteOf(raw, this.#client.target);
        if (sprite !== undefined) sprites.set(sprite.name, sprite);
      }
      const next = textOr(answer.next_continuation_token, '');
      if (answer.has_more !== true || next === '') break;
      if (seen.has(next)) throw noList(this.#client.target.url, 'its pages go round in a circle');
      seen.add(next);
      token = next;
      if (page === MAX_PAGES - 1)
        throw noList(this.#client.target.url, `it has more than ${MAX_PAGES} pages`);
    }
    return [...sprites.values()]
      .filter((sprite) => prefix === undefined || sprite.name.startsWith(prefix))
      .filter((sprite) => Object.entries(labels).every(([key, value]) => sprite.labels[key] === value))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** `created` false: somebody else was faster. */
  async create(
    name: string,
    body: Readonly<Record<string, unknown>>,
    waiting: Waiting = {},
  ): Promise<{ sprite: Sprite; raw: Record<string, unknown>; created: boolean }> {
    const { signal } = waiting;
    for (let attempt = 1, waitMs = FIRST_PAUSE_MS; ; attempt += 1, waitMs *= 2) {
      try {
        const raw = await this.#client.json({
          method: 'POST',
          route: apiPath(['sprites']),
          json: { name, ...body },
          doing: `start sprite ${quote(name)}`,
          failed: 'SPRITE_START_FAILED',
          timeoutMs: CREATE_TIMEOUT_MS,
          patienceMs: CREATE_TIMEOUT_MS,
          signal,
        });
        return { sprite: this.#spriteNamed(name, raw), raw: isObject(raw) ? { ...raw } : {}, created: true };
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = toWreckitError(thrown);
        const status = Number(error.details.http_status ?? 0);
        const mayExist = status === 400 || status === 409 || status >= 500 || status === 0;
        if (!mayExist || status === 429) throw error;
        // It may have been made although the answer says, or is, something else.
        const there = await this.find(name, waiting);
        if (there !== null) return { ...there, created: status >= 500 || status === 0 };
        if (status === 400 || status === 409 || status === 501 || attempt === CREATE_ATTEMPTS) throw error;
        await pause(waitMs, signal);
      }
    }
  }

  async update(name: string, { labels, annotations }: SpriteUpdate, waiting: Waiting = {}): Promise<Sprite> {
    if (annotations !== undefined) {
      throw new WreckitError('UNSUPPORTED', `update sprite ${quote(name)}: the API keeps no annotations`);
    }
    const { sprite } = await this.get(name, waiting);
    if (labels === undefined) return sprite;
    const { owner, expires_at: expiresAt } = sprite;
    const raw = await this.#client.json({
      method: 'PUT',
      route: apiPath(['sprites', name]),
      json: { labels: labelList(labels, { owner, expiresAt }) },
      doing: `update sprite ${quote(name)}`,
      canRepeat: true,
      ...waiting,
    });
    return this.#spriteNamed(name, raw);
  }

  /** Gone when it returns. Throws `SPRITE_NOT_FOUND`, `SPRITE_KILL_FAILED`. */
  async remove(name: string, waiting: Waiting = {}): Promise<void> {
    assertSpriteName(name);
    const { signal } = waiting;
    const call = {
      method: 'DELETE',
      route: apiPath(['sprites', name]),
      doing: `kill sprite ${quote(name)}`,
      failed: 'SPRITE_KILL_FAILED',
      timeoutMs: DELETE_TIMEOUT_MS,
      signal,
    } as const;
    let cause: WreckitError | undefined;
    try {
      await this.#client.json(call);
    } catch (thrown) {
      signal?.throwIfAborted();
      cause = toWreckitError(thrown);
      const status = Number(cause.details.http_status ?? 0);
      if (status !== 0 && status < 500) throw cause;
    }
    // After a failure it may be gone all the same, and once deleted it may be shown for a moment.
    const giveUpAt = performance.now() + GONE_WITHIN_MS;
    for (let waitMs = FIRST_PAUSE_MS; (await this.find(name, waiting)) !== null; waitMs *= 2) {
      if (performance.now() + waitMs > giveUpAt) {
        throw new SpriteKillError(
          `kill sprite ${quote(name)}: it is still there${cause ? `: ${cause.message}` : ''}`,
          {
            hint: `try again; it goes on costing until it is gone: wisp --engine cloud kill ${name}`,
            cause,
          },
        );
      }
      await pause(waitMs, signal);
      if (cause !== undefined)
        await this.#client.json(call).catch((thrown: unknown) => (cause = toWreckitError(thrown)));
    }
  }

  #spriteNamed(name: string, raw: unknown): Sprite {
    const sprite = spriteOf(raw, this.#client.target);
    if (sprite?.name === name) return sprite;
    throw new WreckitError(
      'ENGINE_UNAVAILABLE',
      `sprite ${quote(name)}: the server answered with something else`,
      {
        hint: 'is SPRITES_API_URL the address of a server of the Sprites API?',
      },
    );
  }
}

export function notFound(name: string): never {
  throw new WreckitError('SPRITE_NOT_FOUND', `sprite ${quote(name)}: no such sprite`, {
    hint: 'list all sprites: wisp --engine cloud list',
  });
}

function noList(url: string, problem = 'its answer has no list of sprites'): WreckitError {
  return new WreckitError('ENGINE_UNAVAILABLE', `list sprites: ${url}: ${problem}`, {
    hint: 'is SPRITES_API_URL the address of a server of the Sprites API?',
  });
}
