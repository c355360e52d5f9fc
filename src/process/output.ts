/**
 * Reads one output stream of a child into its sink, and knows when enough was read after the child's exit.
 *
 *   data → sink; a sink's promise pauses the stream (backpressure on the child)
 *   exit → drain: until the stream ends, or is silent while it isn't the sink that is slow, or the drain is cut
 *   then → the stream is destroyed, so that a grandchild holding the pipe holds nobody
 */
import type { Readable } from 'node:stream';
import { BoundedCapture } from './capture.ts';

/** A function may return a promise: the stream is paused until it settles. */
export type OutputSink = 'capture' | 'inherit' | 'ignore' | ((chunk: Uint8Array) => void | Promise<void>);

/** What the child wrote before its exit is in the pipe already: silence for this long means all was read. */
const SILENCE_MS = 100;
/** A grandchild that goes on writing is read no longer than this; time spent in the sink doesn't count. */
const MAX_DRAIN_MS = 1000;
/** So many reads take more than a pipe holds: what the child itself wrote is among them. */
const MIN_DRAIN_READS = 16;

export interface OutputOptions {
  /** null: nothing is piped. */
  stream: Readable | null;
  sink: OutputSink;
  maxBytes: number;
  /** The sink threw or rejected; nothing is read any more. */
  onSinkError: (error: unknown) => void;
}

export class OutputReader {
  readonly capture: BoundedCapture | null;
  readonly #stream: Readable | null;
  readonly #sink: OutputSink;
  readonly #onSinkError: (error: unknown) => void;
  #ended: boolean;
  #failed = false;
  /** The sink's promise is pending: the silence is ours, not the child's. */
  #sinkIsBusy = false;
  #sinkBusySince = 0;
  #sinkBusyMs = 0;
  /** Node resumes a paused stream when the child exits; what comes while the sink is busy waits here. */
  readonly #waiting: Uint8Array[] = [];
  #reads = 0;
  #onChange: () => void = () => undefined;

  constructor({ stream, sink, maxBytes, onSinkError }: OutputOptions) {
    this.capture = sink === 'capture' ? new BoundedCapture(maxBytes) : null;
    this.#stream = stream;
    this.#sink = sink;
    this.#onSinkError = onSinkError;
    this.#ended = stream === null;
    stream?.on('data', (chunk: Uint8Array) => this.#deliver(chunk));
    // A reset pipe is the same as its end: the child's exit says what happened.
    for (const event of ['end', 'close', 'error']) stream?.on(event, () => this.#end());
  }

  /** To be called once the child has exited; settles when what it had written is with the sink, or at `cut`. */
  drain(cut: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    const firstRead = this.#reads;
    const busyBefore = this.#sinkBusyMs;
    return new Promise((resolve) => {
      let silence: NodeJS.Timeout | undefined;
      const done = (): void => {
        clearTimeout(silence);
        cut.removeEventListener('abort', done);
        this.#onChange = () => undefined;
        resolve();
      };
      this.#onChange = () => {
        clearTimeout(silence);
        if (this.#failed || cut.aborted) return done();
        if (this.#sinkIsBusy) return;
        const drainedMs = performance.now() - startedAt - (this.#sinkBusyMs - busyBefore);
        const isLongEnough = drainedMs > MAX_DRAIN_MS && this.#reads - firstRead >= MIN_DRAIN_READS;
        if (this.#ended || isLongEnough) return done();
        silence = setTimeout(() => this.#afterPoll(done), SILENCE_MS);
      };
      cut.addEventListener('abort', done, { once: true });
      this.#onChange();
    });
  }

  /** Lets go of the pipe. */
  destroy(): void {
    this.#stream?.destroy();
  }

  /**
   * A timer can fire before the loop looked at data that arrived long ago (it was busy). Only when the poll
   * phase came round and brought none was the stream silent.
   */
  #afterPoll(done: () => void): void {
    const before = this.#reads;
    const look = (): void => {
      if (this.#reads === before && !this.#sinkIsBusy) done();
    };
    setImmediate(() => setImmediate(look));
  }

  #deliver(chunk: Uint8Array): void {
    this.#reads += 1;
    this.capture?.push(chunk);
    if (typeof this.#sink === 'function') {
      this.#waiting.push(chunk);
      this.#feedSink(this.#sink);
    }
    this.#onChange();
  }

  /** One chunk at a time, in order. */
  #feedSink(sink: (chunk: Uint8Array) => void | Promise<void>): void {
    while (!this.#sinkIsBusy && !this.#failed) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) return;
      try {
        const pending = sink(chunk);
        if (pending !== undefined) this.#pauseUntil(pending, sink);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#stream?.pause();
  }

  #pauseUntil(pending: Promise<void>, sink: (chunk: Uint8Array) => void | Promise<void>): void {
    this.#sinkIsBusy = true;
    this.#sinkBusySince = performance.now();
    const goOn = (): void => {
      this.#sinkIsBusy = false;
      this.#sinkBusyMs += performance.now() - this.#sinkBusySince;
      this.#feedSink(sink);
      if (!this.#sinkIsBusy && this.#stream?.destroyed === false) this.#stream.resume();
      this.#onChange();
    };
    pending.then(goOn, (error: unknown) => {
      this.#fail(error);
      goOn();
    });
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#onSinkError(error);
    this.#stream?.destroy();
  }

  #end(): void {
    this.#ended = true;
    this.#onChange();
  }
}
