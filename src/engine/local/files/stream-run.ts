/** A child's stdout as an iterable: the child waits while the reader does, and ends when the reader leaves. */
import { type RunOptions, type RunResult, run } from '../../../process/run.ts';

export type StreamRunOptions = Omit<RunOptions, 'stdout' | 'signal'> & {
  readonly signal?: AbortSignal | undefined;
};

/** How long a child nobody reads any more may take to end. */
const ABANDONED_GRACE_MS = 500;

/** Yields what the child writes, then hands its end to `finish`, which throws where that was a failure. */
export async function* streamRun(
  argv: readonly string[],
  options: StreamRunOptions,
  finish: (result: RunResult) => void,
): AsyncGenerator<Uint8Array> {
  const handover = new Handover();
  const leaving = new AbortController();
  const signals = options.signal === undefined ? [leaving.signal] : [leaving.signal, options.signal];
  const ended = run(argv, {
    graceMs: ABANDONED_GRACE_MS,
    ...options,
    signal: AbortSignal.any(signals),
    stdout: (chunk) => handover.put(chunk),
  });
  const closed = ended.then(
    () => handover.close(),
    () => handover.close(),
  );
  try {
    for (let chunk = await handover.take(); chunk !== null; chunk = await handover.take()) yield chunk;
    finish(await ended);
  } finally {
    leaving.abort();
    handover.close();
    await closed;
  }
}

/** One chunk at a time from the one who puts to the one who takes. */
class Handover {
  #chunk: Uint8Array | null = null;
  #isClosed = false;
  #onPut: () => void = () => undefined;
  #onTaken: () => void = () => undefined;

  /** Resolves when the next one may come. */
  put(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    this.#chunk = chunk;
    const taken = new Promise<void>((resolve) => {
      this.#onTaken = resolve;
    });
    this.#onPut();
    return taken;
  }

  async take(): Promise<Uint8Array | null> {
    this.#onTaken();
    while (this.#chunk === null && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#onPut = resolve;
      });
    }
    const chunk = this.#chunk;
    this.#chunk = null;
    return chunk;
  }

  close(): void {
    this.#isClosed = true;
    this.#onPut();
    this.#onTaken();
  }
}
