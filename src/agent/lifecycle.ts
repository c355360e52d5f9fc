/**
 * Everything that runs, and the one way to shut it down.
 *
 *   SIGINT, SIGTERM, SIGHUP, an uncaught error, or the caller ─▶ shutdown(reason)
 *     agents are stopped ─▶ their work is collected ─▶ sprites are kept or killed        (in this order)
 *   the second signal ─▶ `force`: whoever still waits stops waiting
 *   the process ends however it ends ─▶ killNow(): no agent outlives it
 *
 * Nothing here ends the process: the entry does, with `shutdownExitCode(reason)`, once `shutdown` has settled.
 */
import { EXIT, SIGNAL_EXIT } from '../contract/error-codes.ts';
import { toWreckitError, WreckitError } from '../errors.ts';
import type { Logger } from '../logging.ts';

export type ShutdownReason =
  | { readonly kind: 'signal'; readonly signalName: keyof typeof SIGNAL_EXIT }
  | { readonly kind: 'error'; readonly error: unknown }
  /** The work is done, or the caller wants an end. */
  | { readonly kind: 'done' };

/** In the order of a shutdown. */
const SHUTDOWN_PHASES = ['agents', 'work', 'sprites'] as const;
export type ShutdownPhase = (typeof SHUTDOWN_PHASES)[number];

export interface RunningThing {
  readonly name: string;
  readonly phase: ShutdownPhase;
  /** Ends it and waits for the end; when `force` fires it no longer waits. */
  stop(reason: ShutdownReason, force: AbortSignal): Promise<void>;
  /** Ends it at once and without waiting: the process is about to be gone. */
  killNow?(): void;
}

export interface ShutdownReport {
  readonly reason: ShutdownReason;
  /** What could not be stopped, with the reason. */
  readonly failures: readonly { readonly name: string; readonly message: string }[];
  /** It was cut short by a second signal. */
  readonly forced: boolean;
}

/** How long a forced shutdown still lets those who were told to hurry. */
const FORCED_WAIT_MS = 1000;

export class Lifecycle {
  readonly #things = new Set<RunningThing>();
  readonly #ending = new AbortController();
  readonly #force = new AbortController();
  readonly #logger: Logger | undefined;
  #shutdown: Promise<ShutdownReport> | null = null;

  constructor(options: { logger?: Logger | undefined } = {}) {
    this.#logger = options.logger;
  }

  /** Fires when the shutdown begins; its reason is the `ShutdownReason`. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Fires when nobody wants to wait any more. */
  get force(): AbortSignal {
    return this.#force.signal;
  }

  /** Names of what runs now. */
  get running(): string[] {
    return [...this.#things].map((thing) => thing.name);
  }

  /** Registers `thing` until disposed. One that is added during a shutdown is stopped, too. */
  add(thing: RunningThing): Disposable {
    this.#things.add(thing);
    return { [Symbol.dispose]: () => void this.#things.delete(thing) };
  }

  /** The first call decides the reason; every call waits for the one shutdown. */
  shutdown(reason: ShutdownReason): Promise<ShutdownReport> {
    this.#shutdown ??= this.#stopAll(reason);
    return this.#shutdown;
  }

  /** A shutdown that is under way, or about to begin, no longer waits for anybody. */
  hurry(): void {
    this.#force.abort(
      new WreckitError('INTERNAL', 'it was not waited for: a second signal forced the end', {
        hint: 'what was not brought back is still in the sprite',
      }),
    );
  }

  /** Synchronous, for the process's `exit` event. */
  killNow(): void {
    for (const thing of this.#things) thing.killNow?.();
  }

  async #stopAll(reason: ShutdownReason): Promise<ShutdownReport> {
    this.#ending.abort(reason);
    const failures: { name: string; message: string }[] = [];
    for (const phase of SHUTDOWN_PHASES) await this.#stopPhase(phase, reason, failures);
    if (this.#force.signal.aborted) this.killNow();
    this.#logger?.info({ event: 'shutdown', reason: reason.kind, failures: failures.length }, 'shut down');
    return { reason, failures, forced: this.#force.signal.aborted };
  }

  async #stopPhase(
    phase: ShutdownPhase,
    reason: ShutdownReason,
    failures: { name: string; message: string }[],
  ): Promise<void> {
    const tried = new Set<RunningThing>();
    for (;;) {
      const next = [...this.#things].filter((thing) => thing.phase === phase && !tried.has(thing));
      if (next.length === 0) return;
      await Promise.all(
        next.map(async (thing) => {
          tried.add(thing);
          try {
            await this.#orForced(thing.stop(reason, this.force));
            this.#things.delete(thing);
          } catch (error) {
            failures.push({ name: thing.name, message: toWreckitError(error).message });
            this.#logger?.error({ event: 'stop_failed', name: thing.name, err: error }, 'could not stop');
          }
        }),
      );
    }
  }

  /** Waits for `stopping`, or a moment after `force`. */
  #orForced(stopping: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const giveUp = (): void => {
        timer = setTimeout(() => reject(new Error('still not ended when forced')), FORCED_WAIT_MS);
      };
      if (this.force.aborted) giveUp();
      else this.force.addEventListener('abort', giveUp, { once: true });
      stopping.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.force.removeEventListener('abort', giveUp);
      });
    });
  }
}

/** The exit code of a program that was shut down for `reason`: 130, 143, 129, 1 or 0. */
export function shutdownExitCode(reason: ShutdownReason): number {
  switch (reason.kind) {
    case 'signal':
      return SIGNAL_EXIT[reason.signalName];
    case 'error':
      return toWreckitError(reason.error).exitCode;
    case 'done':
      return EXIT.ok;
  }
}
