/**
 * Who is attached to which session, and how long a session may go on with nobody attached
 * (`max_run_after_disconnect`). The limit is kept with the session itself, so that a server that takes over
 * from one that was killed knows it, and counts from its own start.
 */
import type { Session } from '../../contract/schemas.ts';
import type { SpriteEngine } from '../../engine/engine.ts';
import type { Logger } from '../../logging.ts';

/** The annotation of a session: milliseconds, 0 for no limit. */
export const MAX_RUN_ANNOTATION = 'api.max_run_after_disconnect_ms';
const GRACE_MS = 10_000;

interface Attended {
  clients: number;
  readonly maxRunMs: number;
  timer: NodeJS.Timeout | undefined;
}

export class SessionClients {
  readonly #engine: SpriteEngine;
  readonly #log: Logger;
  readonly #sessions = new Map<string, Attended>();
  #isDisposed = false;

  constructor(engine: SpriteEngine, log: Logger) {
    this.#engine = engine;
    this.#log = log;
  }

  /** To be disposed of when the client leaves. */
  attach(name: string, session: Session): Disposable {
    const attended = this.#of(name, session);
    attended.clients += 1;
    clearTimeout(attended.timer);
    let isAttached = true;
    return {
      [Symbol.dispose]: () => {
        if (!isAttached) return;
        isAttached = false;
        attended.clients -= 1;
        this.#startClock(name, session.id, attended);
      },
    };
  }

  /** Running sessions of an earlier server that nobody is attached to now. */
  async adopt(): Promise<void> {
    for (const { name } of await this.#engine.list()) {
      const sessions = await this.#engine.sessions(name).catch(() => []);
      for (const session of sessions) {
        if (session.state !== 'running' || maxRunMsOf(session) === 0) continue;
        if (this.#sessions.has(keyOf(name, session.id))) continue;
        this.#startClock(name, session.id, this.#of(name, session));
      }
    }
  }

  /** Stops all clocks, and starts none any more: a server that ends leaves the sessions to the next one. */
  dispose(): void {
    this.#isDisposed = true;
    for (const { timer } of this.#sessions.values()) clearTimeout(timer);
    this.#sessions.clear();
  }

  #of(name: string, session: Session): Attended {
    const key = keyOf(name, session.id);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const attended: Attended = { clients: 0, maxRunMs: maxRunMsOf(session), timer: undefined };
    this.#sessions.set(key, attended);
    return attended;
  }

  #startClock(name: string, sessionId: string, attended: Attended): void {
    if (attended.clients > 0 || this.#isDisposed) return;
    const key = keyOf(name, sessionId);
    if (attended.maxRunMs === 0) return void this.#sessions.delete(key);
    attended.timer = setTimeout(() => {
      this.#sessions.delete(key);
      this.#end(name, sessionId).catch((error: unknown) => {
        this.#log.warn({ event: 'session_not_ended', sprite: name, session: sessionId, err: error });
      });
    }, attended.maxRunMs);
  }

  async #end(name: string, sessionId: string): Promise<void> {
    const { alreadyGone } = await this.#engine.killSession(name, sessionId, { graceMs: GRACE_MS });
    if (!alreadyGone) this.#log.info({ event: 'session_ended_unattended', sprite: name, session: sessionId });
  }
}

/** 0: no limit; a session that was not started through the API has none. */
function maxRunMsOf({ annotations }: Session): number {
  const text = annotations?.[MAX_RUN_ANNOTATION];
  const ms = Number(text ?? 0);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : 0;
}

function keyOf(name: string, sessionId: string): string {
  return `${name}/${sessionId}`;
}
