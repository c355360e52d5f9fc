/**
 * What happened to a service, the file `events` of its directory: "TICKS WHAT [WITH]" per line, in hundredths of a
 * second since boot. Its supervisor adds to it, and shortens it from time to time.
 */
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../errors.ts';
import type { ServiceEvent } from '../../services.ts';
import { ticksNow } from '../sessions/session-state.ts';
import { msOfTicks } from './service-state.ts';

/** A place in the journal that moves on as it is read. */
export class Journal {
  readonly #path: string;
  #offset: number;
  #lastTicks = 0;

  /** At its end. */
  constructor(dir: string) {
    this.#path = join(dir, 'events');
    this.#offset = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (this.#offset > 0) this.#lastTicks = ticksNow();
  }

  /**
   * Back to where the command was started last; says what each log held then. Null: it was not started, as far as is
   * known.
   */
  toLastStart(): { readonly stdout: number; readonly stderr: number } | null {
    const lines = readOrEmpty(this.#path).split('\n');
    const index = lines.findLastIndex((line) => line.split(' ')[1] === 'started');
    const [ticks, , , stdout, stderr] = lines[index]?.split(' ') ?? [];
    if (stderr === undefined) return null;
    this.#offset = lines.slice(0, index).join('\n').length + (index > 0 ? 1 : 0);
    this.#lastTicks = Number(ticks) - 1;
    return { stdout: Number(stdout), stderr: Number(stderr) };
  }

  /** What has been added since. */
  read(): ServiceEvent[] {
    const text = readOrEmpty(this.#path);
    // Shorter than it was: what is new is told by its time.
    const isShortened = text.length < this.#offset;
    const end = text.lastIndexOf('\n') + 1;
    const lines = text.slice(isShortened ? 0 : this.#offset, end).split('\n');
    this.#offset = end;
    return lines.map((line) => this.#event(line, isShortened)).filter((event) => event !== null);
  }

  #event(line: string, isShortened: boolean): ServiceEvent | null {
    const [ticks = '', what, value = ''] = line.split(' ');
    const at = Number(ticks);
    if (what === undefined || Number.isNaN(at) || (isShortened && at <= this.#lastTicks)) return null;
    this.#lastTicks = at;
    const timeMs = Math.round(msOfTicks(at));
    switch (what) {
      case 'started':
      case 'stopping':
      case 'stopped':
        return { type: what, timeMs };
      case 'exit':
        // Nobody knows the code of what vanished: SIGKILL is what does that.
        return { type: 'exit', exitCode: value === '-' ? 137 : Number(value), timeMs };
      case 'error':
        return { type: 'error', data: 'it crashes again and again: given up', timeMs };
      default:
        return null;
    }
  }
}

export function note(dir: string, what: 'stopping' | 'stopped'): void {
  appendFileSync(join(dir, 'events'), `${ticksNow()} ${what}\n`, { mode: 0o600 });
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}
