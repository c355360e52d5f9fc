/** The entry of both programs: the only place that ends the process. */
import { processIo } from './io.ts';
import { type Program, runProgram } from './program.ts';
import { listenToSignals } from './signals.ts';

/** Never returns normally: the process ends with the program's exit code once its output is out. */
export async function main(program: Program): Promise<never> {
  const io = processIo();
  const signals = listenToSignals((interrupt) => process.exit(interrupt.exitCode));
  try {
    process.exit(await runProgram({ ...program, argv: process.argv.slice(2), io, signal: signals.signal }));
  } catch {
    // Neither stdout nor stderr takes what there is to say (a full disk behind them): only the code is left.
    process.exit(1);
  }
}
