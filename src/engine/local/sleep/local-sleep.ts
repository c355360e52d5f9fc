/** Sleep of local sprites: who puts them to sleep, and what keeps them awake. */
import type { Waiting } from '../../engine.ts';
import type { KeepAwakeTask, SleepOps, SleepSettings, SleepWatching, TaskSpec } from '../../sleep.ts';
import type { LocalSprites } from '../local-sprites.ts';
import type { SpriteStore } from '../store.ts';
import { dropTask, putTask, readTasks } from './keep-awake.ts';
import { Sleeper } from './sleeper.ts';

export class LocalSleep implements SleepOps {
  readonly #store: SpriteStore;
  readonly #sprites: LocalSprites;

  constructor(store: SpriteStore, sprites: LocalSprites) {
    this.#store = store;
    this.#sprites = sprites;
  }

  watch(settings: SleepSettings, watching: SleepWatching): Promise<void> {
    return new Sleeper({ store: this.#store, sprites: this.#sprites, settings }).run(watching);
  }

  async tasks(name: string): Promise<readonly KeepAwakeTask[]> {
    return readTasks(this.#dirOf(name));
  }

  async setTask(name: string, task: string, spec: TaskSpec): Promise<KeepAwakeTask> {
    this.#dirOf(name);
    using _lock = await this.#store.lock(name, spec);
    return putTask(this.#dirOf(name), task, spec);
  }

  async removeTask(name: string, task: string, waiting: Waiting = {}): Promise<boolean> {
    this.#dirOf(name);
    using _lock = await this.#store.lock(name, waiting);
    return dropTask(this.#dirOf(name), task);
  }

  /** Throws `SPRITE_NOT_FOUND`. */
  #dirOf(name: string): string {
    this.#store.read(name);
    return this.#store.dirsOf(name).dir;
  }
}
