/**
 * What makes sprites: the seam between `wisp` (verbs, API routes) and the worlds it can run them in.
 *
 *   SpriteEngine ── start, list, info, stop, wake, kill, gc, doctor
 *     ├─ sessions: openSession → SessionHandle (output from an offset, stdin, resize, signal, exit)
 *     └─ files:    FileOps (every path is inside the sprite; the host never follows it)
 *
 * Every method that waits takes `{signal}` and rejects with `WreckitError`; the codes are those of
 * docs/wisp-contract.md. An engine that lacks a capability throws `UNSUPPORTED`, never a silent no-op.
 */
import type { Check, GcItem, Isolation, Network, Session, Sprite, VersionData } from '../contract/schemas.ts';
import type { FileOps } from './file-ops.ts';
import type { PolicyOps } from './policy.ts';
import type { PortOps } from './ports.ts';
import type { Selftest } from './selftest.ts';
import type { ServiceOps } from './services.ts';
import type { SleepOps } from './sleep.ts';
import type { Waiting } from './waiting.ts';

export type * from './file-ops.ts';
export type * from './policy.ts';
export type * from './ports.ts';
export type * from './selftest.ts';
export type * from './services.ts';
export type * from './sleep.ts';
export type { Waiting } from './waiting.ts';

/** What `start` asks for; absent fields take the engine's defaults. */
export interface StartSpec {
  readonly name: string;
  /** `host`, or the path of a root file system: a directory or a tar archive. */
  readonly image?: string | undefined;
  readonly memoryBytes?: number | undefined;
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
  /** Most sprites there may be with this one, if it is new: counted and made in one step. Throws `SPRITE_LIMIT`. */
  readonly maxSprites?: number | undefined;
  /** The limits are wishes: what the machine can't enforce becomes a warning, not a refusal. */
  readonly softLimits?: boolean | undefined;
  readonly network?: Network | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly ttlMs?: number | undefined;
  /** Idle for this long it may be put to sleep; 0: never. The engine's own time when absent. */
  readonly idleTimeoutMs?: number | undefined;
  /** What a front end keeps with the sprite; the engine does not read it. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Whose sprite this is (an agent run's id); null: the user's own. */
  readonly owner?: string | undefined;
  readonly minIsolation?: Isolation | undefined;
  /** `OTHER` or `OTHER@CHECKPOINT`. */
  readonly from?: string | undefined;
}

/** What can be changed of a sprite that exists; absent fields stay as they are. */
export interface SpriteUpdate {
  /** All of them: a label that is not named goes. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface SpriteFilter {
  readonly prefix?: string | undefined;
  /** All must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface SessionSpec {
  readonly command: readonly string[];
  /** Absolute path inside; the sprite's home when absent. */
  readonly dir?: string | undefined;
  /** Merged over the sprite's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** `sprite` when absent; `root` is the sprite's root, never the host's. */
  readonly user?: string | undefined;
  /** A pseudo-terminal of this size; all output is then in the `stdout` log. */
  readonly tty?: TerminalSize | undefined;
  /** False: stdin is empty. True: `write` and `closeStdin` feed it. */
  readonly stdin?: boolean | undefined;
  /** The command is stopped after this long, also when no client is left. */
  readonly timeoutMs?: number | undefined;
  /**
   * No log takes more of the disk than this (default 64 MiB, at least 1 MiB): its head goes, when nobody reads it,
   * and at least the last three quarters stay. Offsets stay what they are.
   */
  readonly logCapBytes?: number | undefined;
  /** What a front end keeps with the session; the engine does not read it. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export type OutputStream = 'stdout' | 'stderr';

export interface OutputChunk {
  readonly stream: OutputStream;
  /** Absolute offset of the first byte in this stream's log. */
  readonly offset: number;
  /** Empty only where the last bytes of all were dropped. */
  readonly bytes: Uint8Array;
  /** Bytes between the last chunk (or the offset asked for) and this one that the log no longer has. */
  readonly droppedBytes: number;
}

export interface OutputRequest extends Waiting {
  /** First byte wanted of each stream; 0 when absent. A negative number counts from the end. */
  readonly stdoutFrom?: number | undefined;
  readonly stderrFrom?: number | undefined;
  readonly streams?: readonly OutputStream[] | undefined;
  /** True: go on until the session has ended and its last byte is out. False: stop at the present end. */
  readonly follow?: boolean | undefined;
  /**
   * Memory for the next chunk, so that nobody has to copy it; asked for before each one, null once nobody wants
   * more. An engine may put the bytes elsewhere.
   */
  readonly nextBuffer?: (() => Promise<Uint8Array | null>) | undefined;
}

export interface SessionExit {
  /** 128+n for a command ended by signal n; null when it is not known (`lost`). */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

/** One client's hold on a session. Dropping it (or dying) never ends the session. */
export interface SessionHandle extends AsyncDisposable {
  readonly id: string;
  readonly tty: boolean;
  info(): Promise<Session>;
  /** Chunks in log order; the bytes are valid until the next one is asked for. */
  output(request?: OutputRequest): AsyncIterable<OutputChunk>;
  /** Resolves when the bytes are accepted. False: the session reads no more. */
  write(bytes: Uint8Array): Promise<boolean>;
  closeStdin(): Promise<void>;
  resize(size: TerminalSize): Promise<void>;
  /**
   * What a terminal would show now, as bytes that bring an empty one into that state, and the offset from
   * which output goes on. Absent where the engine can't tell, or the session has no terminal.
   */
  screen?(waiting?: Waiting): Promise<{ bytes: Uint8Array; nextOffset: number }>;
  /** Waits for the end. Throws `SESSION_LOST` when the session vanished without an exit status. */
  exit(waiting?: Waiting): Promise<SessionExit>;
}

export interface SignalSpec extends Waiting {
  /** `SIGTERM` when absent. */
  readonly name?: string | undefined;
  /** Then SIGKILL after this long (10 s when absent); undefined with `only` set: the one signal and no more. */
  readonly graceMs?: number | undefined;
  readonly only?: boolean | undefined;
}

export interface KillSessionResult {
  readonly exitCode: number | null;
  readonly alreadyGone: boolean;
}

/** The state of a sprite's file system at one moment. */
export interface Checkpoint {
  /** `v1`, `v2`, … per sprite; `pre-restore-v2` for what a restore put aside. */
  readonly id: string;
  readonly created_at: string;
  readonly comment: string | null;
  /** Made by the engine itself, not asked for. */
  readonly is_auto: boolean;
  /** The checkpoint that was restored last when this one was made. */
  readonly source_id: string | null;
  readonly size_bytes: number;
}

/** Throws `SPRITE_NOT_FOUND`, `CHECKPOINT_NOT_FOUND`. Capability `checkpoints`. */
export interface CheckpointOps {
  /** Processes are held still while the copy is made, and go on afterwards. Its cost is what the sprite wrote. */
  create(name: string, options?: { comment?: string | undefined } & Waiting): Promise<Checkpoint>;
  list(name: string, waiting?: Waiting): Promise<Checkpoint[]>;
  get(name: string, checkpointId: string, waiting?: Waiting): Promise<Checkpoint>;
  /** Puts the present state aside first (`backup`), ends all sessions, then the sprite is up in the old state. */
  restore(
    name: string,
    checkpointId: string,
    waiting?: Waiting,
  ): Promise<{ restored: Checkpoint; backup: Checkpoint }>;
  remove(name: string, checkpointId: string, waiting?: Waiting): Promise<void>;
}

export interface GcReport {
  readonly removed: readonly GcItem[];
  readonly kept: readonly GcItem[];
}

export interface SpriteEngine {
  readonly files: FileOps;
  /** Absent where the engine has none. */
  readonly checkpoints?: CheckpointOps | undefined;
  readonly ports?: PortOps | undefined;
  readonly services?: ServiceOps | undefined;
  readonly policy?: PolicyOps | undefined;
  readonly sleep?: SleepOps | undefined;
  readonly selftest?: Selftest | undefined;
  version(waiting?: Waiting): Promise<VersionData>;
  /** Idempotent: a running sprite of the name is returned, a sleeping one woken. Ready means a command has run in it. */
  start(spec: StartSpec, waiting?: Waiting): Promise<{ sprite: Sprite; created: boolean }>;
  /** A sprite that can't be read shows `unknown`; it never hangs or fails the list. */
  list(filter?: SpriteFilter, waiting?: Waiting): Promise<Sprite[]>;
  /** With its sessions and the resources in use. Throws `SPRITE_NOT_FOUND`. */
  info(name: string, waiting?: Waiting): Promise<Sprite>;
  /** Never wakes. Throws `SPRITE_NOT_FOUND`. */
  update(name: string, update: SpriteUpdate, waiting?: Waiting): Promise<Sprite>;
  /** Cold: processes end, the disk is kept. */
  stop(name: string, waiting?: Waiting): Promise<Sprite>;
  wake(name: string, waiting?: Waiting): Promise<Sprite>;
  /** Gone with everything, from every state. Throws `SPRITE_NOT_FOUND`, `SPRITE_KILL_FAILED`. */
  kill(name: string, waiting?: Waiting): Promise<void>;
  /** Returns once the command runs. Throws `SPRITE_EXEC_FAILED`. */
  openSession(name: string, spec: SessionSpec, waiting?: Waiting): Promise<SessionHandle>;
  /** Throws `SESSION_NOT_FOUND`. */
  session(name: string, sessionId: string, waiting?: Waiting): Promise<SessionHandle>;
  sessions(name: string, waiting?: Waiting): Promise<Session[]>;
  /** The session's process group, then the rest of it. Already gone is a result, not an error. */
  killSession(name: string, sessionId: string, how?: SignalSpec): Promise<KillSessionResult>;
  /** Finishes or removes what is half-made or expired, and says why. `dryRun` changes nothing. */
  gc(options?: { dryRun?: boolean } & Waiting): Promise<GcReport>;
  doctor(waiting?: Waiting): Promise<Check[]>;
}
