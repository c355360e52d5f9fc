/** Feeds a child's stdin. A child that exits before it has read everything is no error (EPIPE). */
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';

/**
 * A string is sent as UTF-8, except the two words; text that may be anything goes as `{ text }`. A file is
 * handed over as the child's own descriptor.
 */
export type StdinSource =
  | 'ignore'
  | 'inherit'
  | Uint8Array
  | string
  | { text: string }
  | { file: string }
  | AsyncIterable<Uint8Array>;

type Content = Uint8Array | AsyncIterable<Uint8Array>;

export interface PreparedInput {
  /** For `spawn`: a mode or a descriptor. */
  readonly stdio: 'ignore' | 'inherit' | 'pipe' | number;
  readonly content: Content | null;
  /** Closes what was opened here; to be called once the child is spawned. */
  close(): Promise<void>;
}

const noop = async (): Promise<void> => undefined;

/** Throws `USAGE` when the file can't be read. */
export async function prepareInput(source: StdinSource): Promise<PreparedInput> {
  if (source === 'ignore' || source === 'inherit') return { stdio: source, content: null, close: noop };
  if (typeof source === 'string') return { stdio: 'pipe', content: Buffer.from(source), close: noop };
  if (source instanceof Uint8Array) return { stdio: 'pipe', content: source, close: noop };
  if ('text' in source) return { stdio: 'pipe', content: Buffer.from(source.text), close: noop };
  if (!('file' in source)) return { stdio: 'pipe', content: source, close: noop };
  const handle = await open(source.file, 'r').catch((error: unknown) => {
    throw new WreckitError(
      'USAGE',
      `read stdin from a file: ${quote(source.file)} cannot be opened (${errnoOf(error) ?? String(error)})`,
      { cause: error },
    );
  });
  return { stdio: handle.fd, content: null, close: () => handle.close() };
}

export interface InputFeed {
  /** Stops feeding: the child has exited, nobody reads any more. */
  stop(): void;
}

/**
 * Writes `content` and closes the pipe. A source that fails is reported and the pipe is left open, so that
 * the child doesn't take half an input for all of it; the caller ends the child.
 */
export function feedInput(
  stream: Writable | null,
  content: Content | null,
  onSourceError: (error: unknown) => void,
): InputFeed {
  if (stream === null || content === null) return { stop: () => stream?.destroy() };
  const closed = new AbortController();
  const close = (): void => closed.abort();
  stream.on('error', close);
  stream.once('close', close);
  if (content instanceof Uint8Array) stream.end(content);
  else void pump(stream, content, closed.signal, onSourceError);
  return {
    stop: () => {
      close();
      stream.destroy();
    },
  };
}

const STOPPED = Symbol('stopped');

async function pump(
  stream: Writable,
  source: AsyncIterable<Uint8Array>,
  closed: AbortSignal,
  onSourceError: (error: unknown) => void,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await untilStopped(iterator.next(), closed);
      if (next === STOPPED) return abandon(source, iterator);
      if (next.done) break;
      if (next.value.length > 0 && !stream.write(next.value)) await untilStopped(drained(stream), closed);
    }
    stream.end();
  } catch (error) {
    onSourceError(error);
  }
}

/** Not `Promise.race` with one promise for all: that one would hold every chunk until it settles. */
function untilStopped<T>(promise: Promise<T>, closed: AbortSignal): Promise<T | typeof STOPPED> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(STOPPED);
    if (closed.aborted) stop();
    else closed.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => closed.removeEventListener('abort', stop));
  });
}

/** Not awaited: a source that waits for its own next chunk (a terminal) would answer only after it. */
function abandon(source: AsyncIterable<Uint8Array>, iterator: AsyncIterator<Uint8Array>): void {
  iterator.return?.().catch(() => undefined);
  if ('destroy' in source && typeof source.destroy === 'function') source.destroy();
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => stream.once('drain', () => resolve()));
}
