/** What `wisp serve` is told of the sleep of idle sprites, and what it says of it. */
import type { Io } from '../../cli/io.ts';
import type { SleepEvent, SleepSettings } from '../../engine/engine.ts';
import { toWreckitError, WreckitError } from '../../errors.ts';
import type { Logger } from '../../logging.ts';
import { timeOrNever } from '../flags.ts';

const DEFAULT_WARM_AFTER_MS = 30_000;
const DEFAULT_COLD_AFTER_MS = 3_600_000;

interface SleepFlags {
  /** 0: never. */
  readonly warmAfter?: number;
  readonly coldAfter?: number;
}

/** Flags go before variables. Throws `USAGE`. */
export function sleepSettingsOf({ warmAfter, coldAfter }: SleepFlags, env: Io['env']): SleepSettings {
  return {
    warmAfterMs: (warmAfter ?? timeOf(env, 'WISP_WARM_AFTER', DEFAULT_WARM_AFTER_MS)) || null,
    coldAfterMs: (coldAfter ?? timeOf(env, 'WISP_COLD_AFTER', DEFAULT_COLD_AFTER_MS)) || null,
  };
}

function timeOf(env: Io['env'], name: string, defaultMs: number): number {
  const text = env[name];
  if (text === undefined || text === '') return defaultMs;
  try {
    return timeOrNever(text);
  } catch (thrown) {
    throw new WreckitError('USAGE', `${name}: ${toWreckitError(thrown).message}`, {
      hint: `set ${name} to a time such as 30s or 1h, or to never`,
    });
  }
}

export function sleepLog(log: Logger): (event: SleepEvent) => void {
  return (event) => {
    switch (event.event) {
      case 'asleep':
        log.info({ event: 'sprite_asleep', sprite: event.name, state: event.state, idle_ms: event.idleMs });
        return;
      case 'woken':
        log.info({ event: 'sprite_woken', sprite: event.name });
        return;
      case 'failed':
        log.warn({ event: 'sleep_failed', sprite: event.name, err: event.error });
    }
  };
}
