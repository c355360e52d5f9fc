/** A place where an agent's program runs: this machine, or the inside of a sprite. */
import type { SpawnError } from '../process/run.ts';

/**
 * Stands, in argv and in values of the environment, for the private directory that holds `files`. It has a
 * NUL character, which no real argument can have.
 */
export const FILES_DIR = '\0files\0';

export interface CommandRequest {
  /** `argv[0]` is a path or a name looked up where the command runs. No shell. */
  readonly argv: readonly string[];
  /** Added to the environment that the place itself has (PATH, HOME …). May hold secrets: never in argv or logs. */
  readonly env: Readonly<Record<string, string>>;
  /** The place's own project directory when absent. */
  readonly cwd?: string | undefined;
  /** Written to stdin, which is then closed; null: stdin is empty. */
  readonly stdin: Uint8Array | null;
  /** Names and contents of files for this command alone: mode 0600, in a directory of their own, gone afterwards. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** A promise holds the command back until it settles. A rejection ends the command and rejects `execute`. */
  readonly onStdout: (chunk: Uint8Array) => void | Promise<void>;
  readonly onStderr: (chunk: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface CommandOutcome {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** The program could not be started: nothing ran. */
  readonly spawnError: SpawnError | null;
}

export interface CommandHost {
  /** True: what runs there can't harm this machine, so an agent needs no permission for anything. */
  readonly isSandbox: boolean;
  /** For people: "this machine", "sprite demo". */
  readonly name: string;
  /** Resolves however the command ends, within timeout + grace + 1 s; rejects when the place itself fails. */
  execute(request: CommandRequest): Promise<CommandOutcome>;
}

/** `text` with `FILES_DIR` replaced. */
export function placeFiles(text: string, directory: string): string {
  return text.replaceAll(FILES_DIR, () => directory);
}
