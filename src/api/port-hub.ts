/** Port notices of a sprite for many clients: one look for all who listen, and none while nobody does. */
import type { ListeningPort, PortOps } from '../engine/engine.ts';
import { type PortNotice, portChanges } from './port-changes.ts';

/** How long a sprite is still looked at when nobody listens: the first look costs most, and commands come in rows. */
const LINGER_MS = 5_000;

type Listener = (notices: readonly PortNotice[]) => void;

interface Watched {
  readonly listeners: Set<Listener>;
  readonly stop: AbortController;
  lingering: NodeJS.Timeout | undefined;
}

export class PortHub {
  readonly #ports: PortOps | undefined;
  readonly #draining: AbortSignal;
  readonly #sprites = new Map<string, Watched>();

  /** Without `ports` nothing is ever told. */
  constructor(ports: PortOps | undefined, draining: AbortSignal) {
    this.#ports = ports;
    this.#draining = draining;
  }

  /** What is opened and closed from now on. */
  listen(name: string, listener: Listener): Disposable {
    const watched = this.#sprites.get(name) ?? this.#watch(name);
    watched.listeners.add(listener);
    clearTimeout(watched.lingering);
    return {
      [Symbol.dispose]: () => {
        watched.listeners.delete(listener);
        if (watched.listeners.size > 0 || watched.stop.signal.aborted) return;
        watched.lingering = setTimeout(() => this.#end(name, watched), LINGER_MS).unref();
      },
    };
  }

  #end(name: string, watched: Watched): void {
    watched.stop.abort();
    if (this.#sprites.get(name) === watched) this.#sprites.delete(name);
  }

  #watch(name: string): Watched {
    const watched = { listeners: new Set<Listener>(), stop: new AbortController(), lingering: undefined };
    this.#sprites.set(name, watched);
    const end = (): void => this.#end(name, watched);
    if (this.#draining.aborted) end();
    else this.#draining.addEventListener('abort', end, { once: true, signal: watched.stop.signal });
    // A sprite that goes away ends it; so do its clients' connections.
    this.#tell(name, watched).catch(end);
    return watched;
  }

  async #tell(name: string, { listeners, stop }: Watched): Promise<void> {
    if (this.#ports === undefined) return;
    let before: readonly ListeningPort[] | null = null;
    for await (const now of this.#ports.watch(name, { signal: stop.signal })) {
      const notices = before === null ? [] : portChanges(before, now);
      if (notices.length > 0) for (const listener of listeners) listener(notices);
      before = now;
    }
  }
}
