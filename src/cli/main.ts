/** The entry of both programs: the only place that ends the process. */
import { processIo } from './io.ts';
import { type Program, runProgram } from './program.ts';
import { listenToSignals } from './signals.ts';

/** How long what was asked for by a second signal may take. */
const LAST_ACTS_MS = 1500;
/** What the launchers tell the runtime is not meant for programs that are started from here. */
const OWN_ENV = ['BUN_JSC_thresholdForJITSoon', 'BUN_JSC_thresholdForJITAfterWarmUp'];
const MAX_INTERVAL_MS = 2 ** 31 - 1;

/** Never returns normally: the process ends with the program's exit code once its output is out. */
export async function main(program: Program): Promise<never> {
  for (const name of OWN_ENV) delete process.env[name];
  const lastActs: (() => Promise<unknown>)[] = [];
  const signals = listenToSignals((interrupt) => void endAtOnce(interrupt.exitCode, lastActs.splice(0)));
  const io = processIo(signals.signal);
  const onForce = (act: () => Promise<unknown>): void => {
    lastActs.push(act);
  };
  try {
    const call = { io, signal: signals.signal, onForce, fault: nextFault() };
    process.exit(await runProgram({ ...program, argv: process.argv.slice(2), ...call }));
  } catch {
    // A fault in telling of a fault: only the code is left.
    process.exit(1);
  }
}

/** Rejects with what nobody caught, so that a fault of the program is told like every other error. */
function nextFault(): Promise<never> {
  const fault = new Promise<never>((_, reject) => {
    process.on('uncaughtException', reject);
    process.on('unhandledRejection', reject);
  });
  fault.catch(() => undefined);
  // Bun ends a process that waits for nothing else right after an unhandledRejection, with exit code 0.
  setInterval(() => undefined, MAX_INTERVAL_MS);
  return fault;
}

/** Without acts at once; a third signal does not wait for them either. */
async function endAtOnce(exitCode: number, acts: readonly (() => Promise<unknown>)[]): Promise<never> {
  if (acts.length > 0) {
    const timeout = new Promise((resolve) => setTimeout(resolve, LAST_ACTS_MS));
    await Promise.race([Promise.allSettled(acts.map((act) => act())), timeout]);
  }
  process.exit(exitCode);
}
