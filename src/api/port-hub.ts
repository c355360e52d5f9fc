/** Port notices of a sprite for many clients: one look for all who listen, and none while nobody does. */
import type { ListeningPort, PortOps } from '../engine/engine.ts';
import { type PortNotice, portChanges } from './port-changes.ts';

type Listener = (notices: readonly PortNotice[]) => void;

interface Watched {
  readonly listeners: Set<Listener>;
  readonly stop: AbortController;
}

export class PortHub {
  readonly #ports: PortOps | undefined;
  readonly #sprites = new Map<string, Watched>();

  /** Without `ports` nothing is ever told. */
  constructor(ports: PortOps | undefined) {
    this.#ports = ports;
  }

  /** What is opened and closed from now on. */
  listen(name: string, listener: Listener): Disposable {
    const watched = this.#sprites.get(name) ?? this.#watch(name);
    watched.listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        watched.listeners.delete(listener);
        if (watched.listeners.size > 0) return;
        watched.stop.abort();
        if (this.#sprites.get(name) === watched) this.#sprites.delete(name);
      },
    };
  }

  #watch(name: string): Watched {
    const watched = { listeners: new Set<Listener>(), stop: new AbortController() };
    this.#sprites.set(name, watched);
    // A sprite that goes away ends it; so do its clients' connections.
    this.#tell(name, watched).catch(() => this.#sprites.delete(name));
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
