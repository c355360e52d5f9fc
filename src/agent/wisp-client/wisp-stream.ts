/** The stdout of a wisp program as an async iterable that ends well only when the program did. */
import { ByteChannel } from './byte-channel.ts';
import { streamFailure, streamWisp, type WispCall } from './wisp-call.ts';

/** A reader that stops early stops the program. */
export async function* streamOut(call: WispCall): AsyncGenerator<Uint8Array> {
  const channel = new ByteChannel();
  const stop = new AbortController();
  const signal = call.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, call.signal]);
  const ended = streamWisp(
    { ...call, signal, maxBytes: 64 * 1024 },
    { stdout: (chunk) => channel.write(chunk), stderr: 'capture' },
  ).then(
    (result) => channel.close(result.exitCode === 0 ? undefined : streamFailure(result, call)),
    (error: unknown) => channel.close(error),
  );
  try {
    yield* channel;
  } finally {
    channel.close();
    stop.abort();
    await ended;
  }
}
