/** Leads the events that end a process into its one shutdown path. */
import { SIGNAL_EXIT } from '../contract/error-codes.ts';
import type { Lifecycle, ShutdownReason } from './lifecycle.ts';

export interface WatchOptions {
  /** Called once, when a shutdown is asked for; the entry waits for `lifecycle.shutdown` and ends the process. */
  readonly onShutdown?: ((reason: ShutdownReason) => void) | undefined;
  /**
   * False where the entry listens to SIGINT, SIGTERM and SIGHUP itself and calls `lifecycle.shutdown`; then
   * only uncaught errors and the exit of the process are watched.
   */
  readonly signals?: boolean | undefined;
}

/**
 * Until disposed: a signal or an uncaught error begins the shutdown, the second signal forces it, and whatever
 * still runs when the process exits is killed.
 */
export function watchProcess(lifecycle: Lifecycle, options: WatchOptions = {}): Disposable {
  const begin = (reason: ShutdownReason): void => {
    if (lifecycle.signal.aborted) return;
    options.onShutdown?.(reason);
    void lifecycle.shutdown(reason);
  };
  const onSignal = (signalName: keyof typeof SIGNAL_EXIT): void => {
    if (lifecycle.signal.aborted) lifecycle.hurry();
    else begin({ kind: 'signal', signalName });
  };
  const onError = (error: unknown): void => begin({ kind: 'error', error });
  const onExit = (): void => lifecycle.killNow();
  const names = options.signals === false ? [] : (Object.keys(SIGNAL_EXIT) as (keyof typeof SIGNAL_EXIT)[]);
  for (const name of names) process.on(name, onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  process.on('exit', onExit);
  return {
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal);
      process.off('uncaughtException', onError);
      process.off('unhandledRejection', onError);
      process.off('exit', onExit);
    },
  };
}
