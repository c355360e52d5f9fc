import { type FSWatcher, watch } from 'node:fs';
import type { Waiting } from '../../engine.ts';

/** How often a directory is looked at without being told: the net below the kernel's notifications. */
const POLL_MS = 250;
/** Where the kernel has no notifications to give (its instances are used up). */
const UNWATCHED_POLL_MS = 20;

/**
 * Says when something in a directory has changed. Make it before the first look: what comes after is not missed.
 * Only a wait keeps the process alive.
 */
export class Changes implements Disposable {
  readonly #watcher: FSWatcher | null;
  #pollMs = POLL_MS;
  #hasChanged = false;
  #wake: (() => void) | null = null;

  constructor(dir: string) {
    this.#watcher = this.#watch(dir);
  }

  /** For a change that is learned in another way. */
  poke(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }

  /** Resolves at the next change, or at one since the last call, or after a while. Rejects with the abort reason. */
  async next({ signal }: Waiting = {}, withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#hasChanged) await this.#changeOrTimeout(Math.min(this.#pollMs, withinMs), signal);
    this.#hasChanged = false;
    signal?.throwIfAborted();
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

  #watch(dir: string): FSWatcher | null {
    try {
      const watcher = watch(dir, { persistent: false }, () => this.poke());
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
