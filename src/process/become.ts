/**
 * This process goes on as another program: same pid, streams and terminal, and nobody in between. Returns where that
 * can't be, and then nothing has happened.
 */
export function become(
  argv: readonly [string, ...string[]],
  { cwd, env }: { readonly cwd?: string | undefined; readonly env: Readonly<Record<string, string>> },
): void {
  // Node has it as an experiment, of which it warns on stderr.
  if (process.versions.bun === undefined || process.execve === undefined) return;
  let here: string | undefined;
  try {
    here = process.cwd(); // It may have been removed.
    process.chdir(cwd ?? here);
    process.execve(argv[0], [...argv], { ...env });
  } catch {
    if (here !== undefined) process.chdir(here); // Who starts it in the usual way learns why it can't be.
  }
}
