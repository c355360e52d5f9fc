/** Whose sprites the tools may see, enter and kill: those of one tree of agents, told by their owner. */
import { randomBytes } from 'node:crypto';
import { assertSpriteName, quote } from '../../contract/names.ts';
import type { Sprite } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import { startWithinLimit } from '../start-within-limit.ts';
import type { SpriteStartSpec, WispClient } from '../wisp-client/wisp-client.ts';
import type { Budget } from './budget.ts';

export interface SpriteScopeOptions {
  readonly client: WispClient;
  /** The tree's id: the `owner` of its sprites. */
  readonly owner: string;
  readonly budget: Budget;
  /** The sprite the agent itself works in: it may use it, and not kill it. */
  readonly ownSprite?: string | undefined;
  /** The user lets it have everybody's sprites. */
  readonly isWide?: boolean | undefined;
  /** Of the whole engine; not checked when absent. */
  readonly engineLimit?:
    | {
        readonly maxVMs: number;
        readonly env: Readonly<Record<string, string | undefined>>;
        readonly wispPath?: string | undefined;
      }
    | undefined;
  /** What a new sprite gets where nothing else is asked for; a copy has its source's limits, image and names. */
  readonly startDefaults?: SpriteStartSpec | undefined;
  /** Where the records of what was pushed to its sprites are; a killed sprite needs none. */
  readonly projectRoot?: string | undefined;
  /** How far sprites of the tree may reach at most; a child never gets more network than this. */
  readonly maxNetwork?: Sprite['network'] | undefined;
}

export const OWNER_LABEL = 'wreckit-run';
/** Tells the sprite of one start from one that somebody else of the tree made under the same name. */
const START_LABEL = 'wreckit-start';
const NETWORK_RANK = { none: 0, filtered: 1, open: 2 } as const;

type Call = { readonly signal?: AbortSignal | undefined };

export class SpriteScope {
  readonly options: SpriteScopeOptions;
  readonly #starting = new Set<Promise<unknown>>();

  constructor(options: SpriteScopeOptions) {
    this.options = options;
  }

  get client(): WispClient {
    return this.options.client;
  }

  get budget(): Budget {
    return this.options.budget;
  }

  has(sprite: Sprite): boolean {
    const { owner, isWide, ownSprite } = this.options;
    return isWide === true || sprite.owner === owner || sprite.name === ownSprite;
  }

  /** Throws `SPRITE_NOT_FOUND`, or `POLICY_DENIED` for somebody else's. */
  async sprite(name: string, call?: Call): Promise<Sprite> {
    const sprite = await this.client.info(assertSpriteName(name), call);
    if (this.has(sprite)) return sprite;
    throw this.#foreign(name);
  }

  async list(call?: Call): Promise<Sprite[]> {
    return (await this.client.list({}, call)).filter((sprite) => this.has(sprite));
  }

  /** A new sprite of this tree. Throws `SPRITE_LIMIT`, `SPRITE_EXISTS`, `POLICY_DENIED`, `SPRITE_START_FAILED`. */
  async spawn(wanted: string | undefined, spec: SpriteStartSpec, call?: Call): Promise<Sprite> {
    return await this.tracked(() => this.#spawn(wanted, spec, call));
  }

  /** For `act` that makes sprites, and undoes that when it fails: `settled` waits for it. */
  async tracked<T>(act: () => Promise<T>): Promise<T> {
    const work = act();
    this.#starting.add(work);
    try {
      return await work;
    } finally {
      this.#starting.delete(work);
    }
  }

  /** Resolves when no start is under way: what was given up is undone by then. */
  async settled(): Promise<void> {
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting);
  }

  async #spawn(wanted: string | undefined, spec: SpriteStartSpec, call?: Call): Promise<Sprite> {
    const { client, owner, budget } = this.options;
    const name = wanted === undefined ? newName() : assertSpriteName(wanted);
    this.#assertNetwork(spec.network);
    if (budget.isFull) await this.#recount(call);
    // No wait between the two: of several with one name the first has it.
    if (budget.hasVM(name)) throw exists(name);
    budget.reserveVM(name);
    const start = randomBytes(8).toString('hex');
    let isBegun = false;
    try {
      if ((await client.list({ prefix: name }, call)).some((sprite) => sprite.name === name))
        throw exists(name);
      isBegun = true;
      const labels = { [OWNER_LABEL]: owner, [START_LABEL]: start };
      const { sprite, created } = await this.#start(name, { ...this.#specOf(spec), owner, labels }, call);
      // Somebody else made one of this name meanwhile.
      if (!created) throw exists(name);
      budget.confirmVM(name);
      return sprite;
    } catch (error) {
      const isGone = !isBegun || (await this.#undoStart(name, start));
      if (isGone) budget.releaseVM(name);
      else budget.confirmVM(name);
      throw error;
    }
  }

  /** Removes what a start has made that failed or was given up: nobody knows of it. False: it may be there still. */
  async #undoStart(name: string, start: string): Promise<boolean> {
    const { client } = this.options;
    try {
      const found = (await client.list({ prefix: name })).find((sprite) => sprite.name === name);
      if (found?.labels[START_LABEL] !== start) return true;
      await client.kill([name]);
      return true;
    } catch {
      return false; // counted until a recount does not see it; the end of the tree, or gc, removes it
    }
  }

  #specOf(spec: SpriteStartSpec): SpriteStartSpec {
    const { ttl, softLimits, ...defaults } = this.options.startDefaults ?? {};
    const { allow, ...full } = {
      ...withoutAbsent({ ttl, softLimits }),
      ...(spec.from === undefined ? withoutAbsent(defaults) : {}),
      ...withoutAbsent(spec),
    };
    return full.network === 'filtered' && allow !== undefined ? { ...full, allow } : full;
  }

  /** Resolves with what is gone. Throws before the first is killed when one of them may not be. */
  async kill(names: readonly string[], call?: Call): Promise<string[]> {
    for (const name of names) {
      if (name === this.options.ownSprite) throw ownSprite(name);
      await this.sprite(name, call);
    }
    return await this.#kill(names, call);
  }

  /** What the tree has made and not killed. */
  async made(call?: Call): Promise<Sprite[]> {
    const { owner, ownSprite } = this.options;
    const all = await this.client.list({}, call);
    return all.filter((sprite) => sprite.owner === owner && sprite.name !== ownSprite);
  }

  /** The end of the tree: what it made and did not kill, but for those to be kept. */
  async killAll(call?: Call, kept: ReadonlySet<string> = new Set()): Promise<string[]> {
    const names = (await this.made(call)).map(({ name }) => name).filter((name) => !kept.has(name));
    return names.length === 0 ? [] : await this.#kill(names, call);
  }

  async #kill(names: readonly string[], call?: Call): Promise<string[]> {
    const { projectRoot, budget, client } = this.options;
    const killed = await client.kill(names, call);
    const { forgetSprite } = await import('../../sync/forget-sprite.ts');
    for (const name of killed) {
      budget.releaseVM(name);
      if (projectRoot !== undefined) await forgetSprite(projectRoot, name, call?.signal);
    }
    return killed;
  }

  /** Sprites that ended without us, by their ttl or by the user's hand, make room. */
  async #recount(call?: Call): Promise<void> {
    const { budget, client } = this.options;
    const made = budget.madeVMs;
    const present = new Set((await client.list({}, call)).map(({ name }) => name));
    for (const name of made) if (!present.has(name)) budget.releaseVM(name);
  }

  async #start(name: string, spec: SpriteStartSpec, call?: Call) {
    const { client, engineLimit } = this.options;
    if (engineLimit === undefined) return await client.start(name, spec, call);
    return await startWithinLimit(client, engineLimit, name, spec, call);
  }

  #assertNetwork(network: Sprite['network'] | undefined): void {
    const { maxNetwork } = this.options;
    if (network === undefined || maxNetwork === undefined) return;
    if (NETWORK_RANK[network] <= NETWORK_RANK[maxNetwork]) return;
    throw new WreckitError(
      'POLICY_DENIED',
      `start a sprite: network ${quote(network)} is more than this run may have (${quote(maxNetwork)})`,
      {
        hint: 'the user allows more with agent.network in the configuration, or --network of a run',
        details: { allowed: maxNetwork },
      },
    );
  }

  #foreign(name: string): WreckitError {
    return new WreckitError('POLICY_DENIED', `sprite ${quote(name)}: it is not one of yours`, {
      hint: 'list_sprites shows the sprites you may use; spawn_sprite makes one of your own',
      details: { sprite: name },
    });
  }
}

function newName(): string {
  return `s-${randomBytes(5).toString('hex')}`;
}

function exists(name: string): WreckitError {
  return new WreckitError('SPRITE_EXISTS', `start sprite ${quote(name)}: the name is taken`, {
    hint: 'choose another name, or leave it out',
  });
}

function ownSprite(name: string): WreckitError {
  return new WreckitError('POLICY_DENIED', `kill sprite ${quote(name)}: it is the one you work in`, {
    hint: 'it is removed by itself at the end of the run',
  });
}

/** So that a field that was not asked for does not hide its default. */
function withoutAbsent(spec: SpriteStartSpec): SpriteStartSpec {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}
