import { type FSWatcher, watch } from 'node:fs';
import type { Waiting } from '../../engine.ts';

/**
 * How long it only looks, again and again. Most commands are over by then; and the kernel takes 10 to 30 ms to let
 * go of a watch, for which the end of a program waits.
 */
const LOOKING_MS = 250;
/** Between two such looks at least; later on a part of the time that has passed: neither late nor busy. */
const LOOK_MS = 2;
const LOOK_DIVISOR = 16;
/** How often a directory that is watched is looked at without being told: the net below the kernel's notifications. */
const POLL_MS = 250;
/** Where the kernel has no notifications to give (its instances are used up). */
const UNWATCHED_POLL_MS = 20;

/** Says when something in a directory may have changed. Only a wait keeps the process alive. */
export class Changes implements Disposable {
  readonly #dir: string;
  readonly #madeAt = performance.now();
  /** null: there is none to be had; undefined: not yet. */
  #watcher: FSWatcher | null | undefined;
  #pollMs = POLL_MS;
  #hasChanged = false;
  #wake: (() => void) | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** For a change that is learned in another way. */
  poke(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }

  /** Resolves at the next change, or at one since the last call, or after a while. Rejects with the abort reason. */
  async next({ signal }: Waiting = {}, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#hasChanged) await this.#changeOrTimeout(Math.min(this.#waitMs(), withinMs), signal);
    this.#hasChanged = false;
    signal?.throwIfAborted();
  }

  #waitMs(): number {
    const elapsedMs = performance.now() - this.#madeAt;
    if (elapsedMs < LOOKING_MS) return Math.max(LOOK_MS, elapsedMs / LOOK_DIVISOR);
    if (this.#watcher !== undefined) return this.#pollMs;
    this.#watcher = this.#watch();
    return 0; // What has changed before the watch began is to be looked at.
  }

  #changeOrTimeout(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal?.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  #watch(): FSWatcher | null {
    try {
      const watcher = watch(this.#dir, { persistent: false }, () => this.poke());
      watcher.on('error', () => {
        this.#pollMs = UNWATCHED_POLL_MS;
      });
      return watcher;
    } catch {
      this.#pollMs = UNWATCHED_POLL_MS; // ENOENT, EMFILE, ENOSPC: looking more often does instead.
      return null;
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}
