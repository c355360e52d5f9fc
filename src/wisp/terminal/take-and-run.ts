/** Takes the terminal for a session and gives it back, whatever happens. */
import type { LocalTerminal } from './local-terminal.ts';
import { runTerminal, type TerminalEnd, type TerminalRun } from './run-terminal.ts';

export async function takeAndRun(
  terminal: LocalTerminal,
  run: Omit<TerminalRun, 'terminal'>,
): Promise<TerminalEnd> {
  using _taken = terminal;
  terminal.take();
  return await runTerminal({ ...run, terminal });
}
