/** Sleep of idle sprites, and what keeps one awake. */
import type { Waiting } from './waiting.ts';

export interface SleepSettings {
  /** Idle for this long, a sprite is frozen (`warm`); null: never. */
  readonly warmAfterMs: number | null;
  /** Idle for this long, it is stopped (`cold`), not before it would be frozen; null: never. */
  readonly coldAfterMs: number | null;
}

export type SleepEvent =
  | {
      readonly event: 'asleep';
      readonly name: string;
      readonly state: 'warm' | 'cold';
      readonly idleMs: number;
    }
  /** It stood still although somebody was at work in it: whoever froze it was killed, or came too late. */
  | { readonly event: 'woken'; readonly name: string }
  | { readonly event: 'failed'; readonly name: string | null; readonly error: unknown };

export interface SleepWatching {
  readonly signal: AbortSignal;
  readonly onEvent?: ((event: SleepEvent) => void) | undefined;
}

/** Somebody's wish that a sprite stay awake, for a time. */
export interface KeepAwakeTask {
  readonly name: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface TaskSpec extends Waiting {
  readonly expiresInMs: number;
  /** True: one of the name that has not expired is a `CONFLICT`. Else it is replaced. */
  readonly isNew?: boolean | undefined;
}

/** Throws `SPRITE_NOT_FOUND`. Capability `sleep`. */
export interface SleepOps {
  /** Puts sprites that are idle to sleep until `signal`. What counts as idle: docs/decisions/0009-auto-sleep.md. */
  watch(settings: SleepSettings, watching: SleepWatching): Promise<void>;
  /** Those that have not expired, by name. */
  tasks(name: string, waiting?: Waiting): Promise<readonly KeepAwakeTask[]>;
  /** Does not wake. Throws `USAGE` for a name or time that makes no sense, `CONFLICT`. */
  setTask(name: string, task: string, spec: TaskSpec): Promise<KeepAwakeTask>;
  /** False: there is none of the name. */
  removeTask(name: string, task: string, waiting?: Waiting): Promise<boolean>;
}
