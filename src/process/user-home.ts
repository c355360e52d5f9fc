import { homedir } from 'node:os';

/** `$HOME`, else what the user database says; null for a user that is not in it (a bare uid in a container, say). */
export function userHome({ HOME }: Readonly<Record<string, string | undefined>>): string | null {
  if (HOME) return HOME;
  try {
    return homedir();
  } catch {
    return null; // Thrown for that and nothing else.
  }
}
