/** A host's own stream as a place for output. */
import type { Writable } from 'node:stream';
import type { OutputPort } from '../cli/io.ts';

export interface StreamPort extends OutputPort, Disposable {}

/** Listens to the stream's errors until disposed: a reader that left is no fault. */
export function streamPort(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
): StreamPort {
  const closed = new AbortController();
  const onError = (): void => closed.abort();
  stream.on('error', onError);
  return {
    get isTty() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.isTTY === true ? (stream.columns ?? 80) : null;
    },
    closed: closed.signal,
    write: (chunk) =>
      new Promise((resolve) => {
        if (closed.signal.aborted || stream.destroyed || stream.writableEnded) {
          closed.abort();
          resolve(false);
          return;
        }
        stream.write(chunk, (error) => {
          if (error) closed.abort();
          resolve(!error);
        });
      }),
    [Symbol.dispose]: () => void stream.off('error', onError),
  };
}
