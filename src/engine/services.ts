/** Declared processes of a sprite: started in the order of their needs, restarted when they crash. */
import type { OutputChunk, OutputStream } from './engine.ts';
import type { Waiting } from './waiting.ts';

export interface ServiceSpec {
  readonly command: readonly string[];
  /** Absolute path inside; the sprite's home when absent. */
  readonly dir?: string | undefined;
  /** Merged over the sprite's own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** `sprite` when absent. */
  readonly user?: string | undefined;
  /** Services that must run first, or have ended with exit code 0. */
  readonly needs: readonly string[];
  /** Where the sprite's URL leads; at most one service of a sprite has one. */
  readonly httpPort: number | null;
}

export type ServiceStatus = 'stopped' | 'starting' | 'running' | 'stopping' | 'failed';

export interface ServiceState {
  readonly status: ServiceStatus;
  /** Inside the sprite; null while no process runs. */
  readonly pid: number | null;
  readonly started_at: string | null;
  /** Why it failed. */
  readonly error: string | null;
  /** Crashes since it was last started by somebody. */
  readonly restart_count: number;
  readonly next_restart_at: string | null;
}

export interface Service {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly state: ServiceState;
  /** Inside the sprite; bounded, the older half goes first. */
  readonly logFiles: { readonly dir: string; readonly stdout: string; readonly stderr: string };
}

export type ServiceEvent =
  | { readonly type: 'stdout' | 'stderr'; readonly data: string; readonly timeMs: number }
  | { readonly type: 'started' | 'stopping' | 'stopped'; readonly timeMs: number }
  | { readonly type: 'exit'; readonly exitCode: number; readonly timeMs: number }
  | { readonly type: 'error'; readonly data: string; readonly timeMs: number };

export interface ServiceEventsRequest {
  /** Of the past of each log (0). */
  readonly lines?: number | undefined;
  /** From when its command was started last, instead of `lines`. */
  readonly sinceStart?: boolean | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface ServiceOutputRequest extends Waiting {
  /** First byte wanted of each log; 0 when absent. A negative number counts from the end. */
  readonly stdoutFrom?: number | undefined;
  readonly stderrFrom?: number | undefined;
  /** The last lines of each log, where no byte is named. */
  readonly lines?: number | undefined;
  readonly streams?: readonly OutputStream[] | undefined;
  /** True: go on, through restarts, until the service is removed. False: stop at the present end. */
  readonly follow?: boolean | undefined;
}

/** Throws `SPRITE_NOT_FOUND`, `SERVICE_NOT_FOUND`, `USAGE` (no service's name). Capability `services`. */
export interface ServiceOps {
  list(name: string, waiting?: Waiting): Promise<Service[]>;
  get(name: string, service: string, waiting?: Waiting): Promise<Service>;
  /**
   * Declares, or declares anew, and starts. Throws `CONFLICT` when another service has an HTTP port, `USAGE` for
   * needs that don't exist or go in a circle.
   */
  put(name: string, service: string, spec: ServiceSpec, waiting?: Waiting): Promise<Service>;
  /** Stops it first. Throws `CONFLICT` when another service needs it. */
  remove(name: string, service: string, waiting?: Waiting): Promise<void>;
  /** Starts what it needs first; one that runs is left alone. */
  start(name: string, service: string, waiting?: Waiting): Promise<Service>;
  /** SIGTERM, after `timeoutMs` (10 s) SIGKILL. Throws `CONFLICT` when it does not run. */
  stop(
    name: string,
    service: string,
    options?: { readonly timeoutMs?: number | undefined } & Waiting,
  ): Promise<Service>;
  restart(name: string, service: string, waiting?: Waiting): Promise<Service>;
  /** To its process group. Throws `CONFLICT` when it does not run, `USAGE` for no signal's name. */
  signal(name: string, service: string, signalName: string, waiting?: Waiting): Promise<void>;
  /**
   * What it has printed, then what happens from the moment of the call, until `signal`; without `follow` it ends
   * after the log.
   */
  events(name: string, service: string, request: ServiceEventsRequest): AsyncIterable<ServiceEvent>;
  /** Its logs as bytes; offsets are absolute, through restarts. A chunk's bytes are valid until the next is asked for. */
  output(name: string, service: string, request?: ServiceOutputRequest): AsyncIterable<OutputChunk>;
}
