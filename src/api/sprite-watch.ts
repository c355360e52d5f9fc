/** What changes among the sprites: one look for all who watch, and none while nobody does. */
import type { Sprite } from '../contract/schemas.ts';
import type { SpriteEngine } from '../engine/engine.ts';

const LOOK_MS = 500;

export interface SpriteChange {
  readonly sprite: Sprite;
  readonly isGone: boolean;
  /** All there are, for the counters. */
  readonly all: readonly Sprite[];
}

type Listener = (changes: readonly SpriteChange[]) => void;

export class SpriteWatch {
  readonly #engine: SpriteEngine;
  readonly #listeners = new Set<Listener>();
  #last: ReadonlyMap<string, Sprite> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: SpriteEngine) {
    this.#engine = engine;
  }

  /** Resolves once the present state is known: changes from then on are told. */
  async watch(listener: Listener): Promise<Disposable> {
    if (this.#listeners.size === 0) this.#last = byName(await this.#engine.list());
    this.#listeners.add(listener);
    this.#schedule();
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) clearTimeout(this.#timer);
      },
    };
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#listeners.size > 0) this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    try {
      const all = await this.#engine.list();
      const now = byName(all);
      const changes = changesBetween(this.#last, now, all);
      this.#last = now;
      if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
    } catch {
      // A state directory that can't be read now is looked at again; a list call tells its caller why.
    } finally {
      this.#schedule();
    }
  }
}

function byName(sprites: readonly Sprite[]): ReadonlyMap<string, Sprite> {
  return new Map(sprites.map((sprite) => [sprite.name, sprite]));
}

function changesBetween(
  before: ReadonlyMap<string, Sprite>,
  now: ReadonlyMap<string, Sprite>,
  all: readonly Sprite[],
): SpriteChange[] {
  const gone = [...before.values()].filter(({ name, id }) => now.get(name)?.id !== id);
  const changed = [...now.values()].filter((sprite) => {
    const old = before.get(sprite.name);
    return old === undefined || factsOf(old) !== factsOf(sprite);
  });
  return [
    ...gone.map((sprite) => ({ sprite, isGone: true, all })),
    ...changed.map((sprite) => ({ sprite, isGone: false, all })),
  ];
}

/** What of a sprite is worth telling. */
function factsOf({ id, state, labels, annotations, error }: Sprite): string {
  return JSON.stringify([id, state, labels, annotations, error]);
}
