/** What a program inside has to know of the user's terminal. */

const NAMES = ['TERM', 'COLORTERM', 'TERM_PROGRAM'];

/** Only what says something about the terminal, and only where it is a plain word. */
export function terminalEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const known: Record<string, string> = { TERM: 'xterm-256color' };
  for (const name of NAMES) {
    const value = env[name];
    if (value !== undefined && /^[\w.+-]{1,64}$/.test(value)) known[name] = value;
  }
  return known;
}
