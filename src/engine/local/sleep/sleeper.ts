/**
 * Puts idle sprites to sleep, and lets those go on that stand still although somebody is at work in them. It
 * remembers only since when each has been idle; what a sprite is it asks the kernel at every look. So it may be
 * killed at any time, and several may run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toWreckitError } from '../../../errors.ts';
import type { SleepEvent, SleepSettings, SleepWatching } from '../../sleep.ts';
import { isFrozen } from '../cgroup.ts';
import { type Mount, readMounts } from '../host-mounts.ts';
import type { LocalSprites } from '../local-sprites.ts';
import type { SpriteRecord } from '../record.ts';
import { isUp } from '../running.ts';
import type { SpriteStore } from '../store.ts';
import { freezerOf } from './freezer.ts';
import { IdleClock } from './idle-clock.ts';
import { isKeptAwake } from './keep-awake.ts';

const MAX_LOOK_MS = 2_000;
const MIN_LOOK_MS = 20;
/** Looks per shortest time. */
const LOOKS = 10;

export interface SleeperParts {
  readonly store: SpriteStore;
  readonly sprites: LocalSprites;
  readonly settings: SleepSettings;
}

interface Watched {
  readonly clock: IdleClock;
  /** Of its first process: another one is another life. */
  readonly init: string;
  wasFrozen: boolean;
  /** At the last look it stood still though somebody wanted something, who may have been about to wake it. */
  wasWanted: boolean;
  isChanging: boolean;
}

export class Sleeper {
  readonly #parts: SleeperParts;
  readonly #watched = new Map<string, Watched>();
  readonly #changing = new Set<Promise<void>>();
  #tell: (event: SleepEvent) => void = () => undefined;

  constructor(parts: SleeperParts) {
    this.#parts = parts;
  }

  async run({ signal, onEvent }: SleepWatching): Promise<void> {
    if (onEvent !== undefined) this.#tell = onEvent;
    const lookMs = lookEvery(this.#parts.settings);
    while (!signal.aborted) {
      try {
        this.#lookAtAll();
      } catch (error) {
        this.#tell({ event: 'failed', name: null, error });
      }
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.#changing);
  }

  #lookAtAll(): void {
    const { store } = this.#parts;
    const names = store.names();
    for (const name of this.#watched.keys()) if (!names.includes(name)) this.#watched.delete(name);
    if (names.length === 0) return;
    const mounts = readMounts();
    for (const name of names) {
      try {
        const record = store.find(name);
        if (record !== null) this.#lookAt(record, mounts);
      } catch (error) {
        this.#tell({ event: 'failed', name, error });
      }
    }
  }

  #lookAt(record: SpriteRecord, mounts: readonly Mount[]): void {
    const { name, init } = record;
    if (init === null || !isUp(record)) {
      this.#watched.delete(name);
      return;
    }
    const watched = this.#watchedOf(name, `${init.pid} ${init.startTime}`);
    if (watched.isChanging) return;
    const { dir } = this.#parts.store.dirsOf(name);
    const group = groupOf(record);
    const isStill = isFrozen(init.pid, group, mounts);
    // Somebody woke it, or put it to sleep, since the last look: in the first case that was activity.
    if (watched.wasFrozen && !isStill) watched.clock.reset();
    watched.wasFrozen = isStill;
    if (isStill) {
      const isWanted = watched.clock.isInUse(dir);
      if (isWanted && watched.wasWanted) this.#change(name, watched, () => this.#wake(name));
      watched.wasWanted = isWanted;
      if (isWanted) return;
      if (isKeptAwake(record, dir)) watched.clock.reset();
    } else {
      watched.wasWanted = false;
      watched.clock.look({ record, dir, initPid: init.pid, group, mounts });
    }
    const depth = this.#depthOf(record, watched.clock.idleMs, isStill);
    if (depth !== null) this.#change(name, watched, () => this.#putToSleep(record, dir, watched, depth));
  }

  #watchedOf(name: string, init: string): Watched {
    const known = this.#watched.get(name);
    if (known?.init === init) return known;
    const watched = { clock: new IdleClock(), init, wasFrozen: false, wasWanted: false, isChanging: false };
    this.#watched.set(name, watched);
    return watched;
  }

  #depthOf(record: SpriteRecord, idleMs: number, isStill: boolean): 'warm' | 'cold' | null {
    const { warmAfterMs, coldAfterMs } = timesOf(record, this.#parts.settings);
    if (coldAfterMs !== null && idleMs >= coldAfterMs) return 'cold';
    if (isStill || warmAfterMs === null || idleMs < warmAfterMs) return null;
    const canFreeze = record.init !== null && freezerOf(record.init.pid, groupOf(record)) !== null;
    return canFreeze ? 'warm' : null;
  }

  #change(name: string, watched: Watched, act: () => Promise<void>): void {
    watched.isChanging = true;
    const changing = act()
      .catch((error: unknown) => {
        // Somebody is changing it: so it isn't idle, which the next look sees.
        if (toWreckitError(error).code !== 'SPRITE_BUSY') this.#tell({ event: 'failed', name, error });
      })
      .finally(() => {
        watched.isChanging = false;
        this.#changing.delete(changing);
      });
    this.#changing.add(changing);
  }

  async #wake(name: string): Promise<void> {
    await this.#parts.sprites.awake(name, {});
    this.#tell({ event: 'woken', name });
  }

  async #putToSleep(
    record: SpriteRecord,
    dir: string,
    { clock }: Watched,
    depth: 'warm' | 'cold',
  ): Promise<void> {
    const { idleMs } = clock;
    const isIdle = (): boolean => !clock.isInUse(dir) && !isKeptAwake(record, dir);
    const isAsleep = await this.#parts.sprites.putToSleep(record.name, depth, isIdle);
    if (isAsleep)
      this.#tell({ event: 'asleep', name: record.name, state: depth, idleMs: Math.round(idleMs) });
    else clock.reset();
  }
}

function groupOf({ id }: SpriteRecord): string {
  return `wisp-${id}`;
}

/** The sprite's own time goes before the general ones; it never is stopped before it could be frozen. */
function timesOf({ idle_timeout_ms: own }: SpriteRecord, settings: SleepSettings): SleepSettings {
  if (own === 0) return { warmAfterMs: null, coldAfterMs: null };
  const warmAfterMs = own ?? settings.warmAfterMs;
  const { coldAfterMs } = settings;
  return { warmAfterMs, coldAfterMs: coldAfterMs === null ? null : Math.max(coldAfterMs, warmAfterMs ?? 0) };
}

function lookEvery({ warmAfterMs, coldAfterMs }: SleepSettings): number {
  const shortest = Math.min(warmAfterMs ?? Infinity, coldAfterMs ?? Infinity) / LOOKS;
  return Math.max(MIN_LOOK_MS, Math.min(MAX_LOOK_MS, shortest));
}
