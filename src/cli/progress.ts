/** One line on stderr that says what goes on, replaced in place. Silent where nobody looks at it. */
import type { Io } from './io.ts';
import { printable, truncate } from './text-width.ts';

export interface Progress extends AsyncDisposable {
  /** Shows `text`; calls closer than 100 ms to the last one shown are dropped. */
  update(text: string): Promise<void>;
  /** Takes the line away; the next `update` shows at once. */
  clear(): Promise<void>;
}

export interface ProgressOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

const INTERVAL_MS = 100;
const ERASE_LINE = '\r\x1b[2K';

export function createProgress(io: Io, { json, quiet }: ProgressOptions): Progress {
  const isShown = !json && !quiet && io.stderr.isTty && io.env.TERM !== 'dumb';
  let shownAt = Number.NEGATIVE_INFINITY;
  let isLineThere = false;
  const clear = async (): Promise<void> => {
    shownAt = Number.NEGATIVE_INFINITY;
    if (!isLineThere) return;
    isLineThere = false;
    await io.stderr.write(ERASE_LINE);
  };
  return {
    async update(text) {
      const now = performance.now();
      if (!isShown || now - shownAt < INTERVAL_MS) return;
      shownAt = now;
      isLineThere = true;
      await io.stderr.write(ERASE_LINE + truncate(printable(text), (io.stderr.columns ?? 80) - 1));
    },
    clear,
    [Symbol.asyncDispose]: clear,
  };
}
