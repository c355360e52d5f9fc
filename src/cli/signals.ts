/**
 * SIGINT, SIGTERM and SIGHUP become one AbortSignal. The first asks everything to clean up and end, the
 * second does not wait for it. The program's exit code is then the signal's: 130, 143 or 129.
 */
import { SIGNAL_EXIT } from '../contract/error-codes.ts';

export type InterruptSignal = keyof typeof SIGNAL_EXIT;

/** The `reason` of the abort; not a fault, so not a `WreckitError`. */
export class InterruptedError extends Error {
  readonly signalName: InterruptSignal;

  constructor(signalName: InterruptSignal) {
    super(`interrupted by ${signalName}`);
    this.name = 'InterruptedError';
    this.signalName = signalName;
  }

  get exitCode(): number {
    return SIGNAL_EXIT[this.signalName];
  }
}

export interface Signals extends Disposable {
  readonly signal: AbortSignal;
}

const HANDLED = Object.keys(SIGNAL_EXIT) as InterruptSignal[];

/** Takes over the three signals until disposed. `force` is called for the second one and each that follows. */
export function listenToSignals(force: (interrupt: InterruptedError) => void): Signals {
  const controller = new AbortController();
  const onSignal = (signalName: InterruptSignal): void => {
    const interrupt = new InterruptedError(signalName);
    if (controller.signal.aborted) force(interrupt);
    else controller.abort(interrupt);
  };
  for (const name of HANDLED) process.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of HANDLED) process.off(name, onSignal);
    },
  };
}

/** The interrupt that aborted `signal`, or null when it runs or was aborted for another reason. */
export function interruptOf(signal: AbortSignal): InterruptedError | null {
  return signal.aborted && signal.reason instanceof InterruptedError ? signal.reason : null;
}
