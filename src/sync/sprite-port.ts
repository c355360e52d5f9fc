/** One directory of one sprite, as far as src/sync needs it. Nothing that comes out of it is trusted. */
import type { StdinSource } from '../process/run.ts';

export interface SpriteExecOptions {
  readonly stdin?: Exclude<StdinSource, 'inherit' | 'ignore' | { file: string }> | undefined;
  /** Takes stdout as it comes (a promise is back-pressure); without it stdout is captured. */
  readonly onStdout?: ((chunk: Uint8Array) => void | Promise<void>) | undefined;
  /** As the sprite's root, where the engine can. */
  readonly asRoot?: boolean | undefined;
  /** Makes the directory where it is missing. */
  readonly makeDir?: boolean | undefined;
  /** Cap of what is captured of each stream; 1 MiB when absent. */
  readonly maxBytes?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SpriteExecResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** The directory is not there; the command was not run. */
  readonly isDirMissing: boolean;
}

export interface SpritePort {
  /** Name of the sprite. */
  readonly name: string;
  /** Changes when a sprite of the same name was made anew; null where it is not known. */
  readonly id: string | null;
  /** Absolute path of the directory inside the sprite. */
  readonly dir: string;
  /** Runs a command in the directory. Rejects when the sprite could not be reached, or `signal` fired. */
  exec(argv: readonly string[], options?: SpriteExecOptions): Promise<SpriteExecResult>;
}
