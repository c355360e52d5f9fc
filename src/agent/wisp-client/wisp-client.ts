/**
 * What the rest of wreckit may ask of sprites. One implementation shells out to a `wisp` program
 * (`../sprite-runner.ts`); a second one may speak another program's dialect.
 *
 * Every method rejects with a `WreckitError` whose code is one of docs/wisp-contract.md, with `TIMEOUT` when
 * its deadline passed, or with the reason of the signal that aborted it. Names are checked before any
 * process is made from them (`SPRITE_NAME_INVALID`, `SESSION_NOT_FOUND`).
 */
import type {
  AttachData,
  Check,
  ExecData,
  FileEntry,
  GcItem,
  Isolation,
  Network,
  Session,
  Sprite,
  VersionData,
} from '../../contract/schemas.ts';
import type { OutputSink, StdinSource } from '../../process/run.ts';

export interface WispCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the whole call; the client's own (`timeoutMs`) when absent, none when 0. */
  readonly timeoutMs?: number | undefined;
}

/** Absent fields are the engine's choice. Sizes and times are text as on the command line: `512MiB`, `2h`. */
export interface SpriteStartSpec {
  readonly image?: string | undefined;
  readonly memory?: string | undefined;
  readonly cpus?: string | undefined;
  readonly pids?: string | undefined;
  readonly network?: Network | undefined;
  readonly allow?: readonly string[] | undefined;
  /** Kept in the sprite's record and visible in argv: never a secret (those go to `exec`). */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Paths of files of `NAME=VALUE` lines. */
  readonly envFiles?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly ttl?: string | undefined;
  /** Idle for this long it may be put to sleep; `never`. */
  readonly idleTimeout?: string | undefined;
  /** Whose sprite it is: the id of an agent run. */
  readonly owner?: string | undefined;
  /** The limits are wishes: one the machine can't enforce is a warning. For defaults nobody asked for by name. */
  readonly softLimits?: boolean | undefined;
  readonly from?: string | undefined;
  readonly minIsolation?: Isolation | undefined;
  /** Only where `countsSprites()`. */
  readonly maxSprites?: number | undefined;
}

export interface SpriteListFilter {
  readonly prefix?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface SpriteExecSpec {
  /** Absolute path inside; the engine's default directory when absent. */
  readonly dir?: string | undefined;
  /** Handed over in a file of mode 0600, never in argv. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly user?: string | undefined;
  /** The command is ended inside after this long: `30s`. */
  readonly commandTimeout?: string | undefined;
}

export interface SpriteExecOptions extends WispCallOptions, SpriteExecSpec {
  /** `64KiB`; what goes beyond is dropped and counted in the answer. */
  readonly maxOutput?: string | undefined;
  readonly stdin?: StdinSource | undefined;
}

export interface SpriteCaptureOptions extends WispCallOptions, SpriteExecSpec {
  readonly stdin?: StdinSource | undefined;
  /** `capture` when absent: then at most `maxBytes` of each stream are kept. */
  readonly stdout?: OutputSink | undefined;
  readonly stderr?: OutputSink | undefined;
  /** 8 MiB when absent. */
  readonly maxBytes?: number | undefined;
}

/** A command's raw bytes. `exitCode` 125 is the engine's own failure, its reason is on `stderr`. */
export interface SpriteCapture {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly truncatedBytes: number;
  readonly durationMs: number;
}

/** A saved state of a sprite's files. */
export interface Checkpoint {
  readonly id: string;
  readonly createdAt: string;
  readonly comment: string | null;
}

export interface SpriteStarted {
  readonly sprite: Sprite;
  readonly created: boolean;
}

export interface KillSessionOptions extends WispCallOptions {
  readonly signalName?: string | undefined;
  readonly grace?: string | undefined;
}

export interface LogsOptions extends WispCallOptions {
  readonly from?: number | undefined;
  readonly follow?: boolean | undefined;
  /** `stdout` when absent. */
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

export interface PassThroughOptions extends WispCallOptions {
  /** This process's own when absent. */
  readonly stdout?: OutputSink | undefined;
  readonly stderr?: OutputSink | undefined;
  /** Called once with wisp's pid: for signals, which are the caller's to hand on. */
  readonly onSpawn?: ((pid: number) => void) | undefined;
  /** True: this process's own; absent: empty. */
  readonly stdin?: boolean | StdinSource | undefined;
  /** Ask wisp for JSON, to be passed on as it is. */
  readonly json?: boolean | undefined;
}

export interface WispClient {
  version(options?: WispCallOptions): Promise<VersionData>;
  /** Whether `start` takes `maxSprites`, and so counts and makes in one step. */
  countsSprites(options?: WispCallOptions): Promise<boolean>;
  /** Idempotent; ready when it resolves. */
  start(name: string, spec?: SpriteStartSpec, options?: WispCallOptions): Promise<SpriteStarted>;
  list(filter?: SpriteListFilter, options?: WispCallOptions): Promise<Sprite[]>;
  /** Throws `SPRITE_NOT_FOUND`. `sessions` of the answer are the sessions themselves. */
  info(name: string, options?: WispCallOptions): Promise<Sprite>;
  stop(name: string, options?: WispCallOptions): Promise<Sprite>;
  /** `keep`: and not put to sleep for so long (`2h`). */
  wake(name: string, options?: WispCallOptions & { keep?: string | undefined }): Promise<Sprite>;
  /** Resolves with the names that are gone: all that were asked for, else it throws. */
  kill(names: readonly string[], options?: WispCallOptions): Promise<string[]>;
  /** Runs to its end; output as text (invalid UTF-8 replaced). A command that fails is an answer, not an error. */
  exec(name: string, command: readonly string[], options?: SpriteExecOptions): Promise<ExecData>;
  /** Returns once the command runs; its session goes on when this process is gone. */
  execDetached(name: string, command: readonly string[], options?: SpriteExecOptions): Promise<ExecData>;
  /** Runs to its end with raw bytes in and out. Throws when wisp itself could not be run or was killed. */
  execCapture(
    name: string,
    command: readonly string[],
    options?: SpriteCaptureOptions,
  ): Promise<SpriteCapture>;
  /** How to connect to a session, and its latest output. */
  attach(name: string, sessionId?: string, options?: WispCallOptions): Promise<AttachData>;
  sessions(name: string, options?: WispCallOptions): Promise<Session[]>;
  /** A session's output as raw bytes, from an absolute offset. With `follow` until the session has ended. */
  logs(name: string, sessionId: string, options?: LogsOptions): AsyncIterable<Uint8Array>;
  killSession(
    name: string,
    sessionId: string,
    options?: KillSessionOptions,
  ): Promise<{ exitCode: number | null; alreadyGone: boolean }>;
  /** At most `maxBytes` (8 MiB when absent), else it throws. */
  readFile(
    name: string,
    path: string,
    options?: WispCallOptions & { maxBytes?: number | undefined },
  ): Promise<Uint8Array>;
  writeFile(
    name: string,
    path: string,
    content: Exclude<StdinSource, 'inherit'>,
    options?: WispCallOptions & { mode?: string | undefined },
  ): Promise<void>;
  listFiles(name: string, path: string, options?: WispCallOptions): Promise<FileEntry[]>;
  /** Unpacks a tar stream below `dst`. */
  push(name: string, tar: AsyncIterable<Uint8Array>, dst: string, options?: WispCallOptions): Promise<void>;
  /** A tar stream of `src`. Ends without error only when wisp said it was whole. Never trust its members. */
  pull(name: string, src: string, options?: WispCallOptions): AsyncIterable<Uint8Array>;
  /** Keeps the sprite's files as they are now. */
  createCheckpoint(
    name: string,
    options?: WispCallOptions & { comment?: string | undefined },
  ): Promise<Checkpoint>;
  /** Ends its sessions; what it was before becomes a checkpoint of its own (`backup`, where wisp tells it). */
  restoreCheckpoint(
    name: string,
    checkpointId: string,
    options?: WispCallOptions,
  ): Promise<{ checkpoint: Checkpoint; backup: Checkpoint | null }>;
  gc(
    options?: WispCallOptions & { dryRun?: boolean | undefined },
  ): Promise<{ removed: GcItem[]; kept: GcItem[] }>;
  doctor(options?: WispCallOptions): Promise<Check[]>;
}
