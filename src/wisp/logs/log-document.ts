/** What a session has printed so far, as one JSON document. */
import type { OutputRequest, OutputStream, SessionHandle } from '../../engine/engine.ts';
import { BoundedCapture } from '../../process/capture.ts';
import { textOrBase64 } from '../text-or-base64.ts';

const DEFAULT_MAX_BYTES = 1024 * 1024;
const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

/**
 * `{session, stdout, stdout_encoding, stdout_offset, stdout_next_offset, stdout_truncated_bytes, …}` and the
 * same for stderr: text (base64 where it is not UTF-8), the offset of its first byte, the offset to go on
 * from, and the bytes left out (dropped from the log, or between head and tail of what is kept here).
 */
export async function logDocument(
  handle: SessionHandle,
  request: OutputRequest,
  maxBytes = DEFAULT_MAX_BYTES,
): Promise<Record<string, unknown>> {
  const captures = { stdout: new BoundedCapture(maxBytes), stderr: new BoundedCapture(maxBytes) };
  const first: Partial<Record<OutputStream, number>> = {};
  const next: Partial<Record<OutputStream, number>> = {};
  const dropped = { stdout: 0, stderr: 0 };
  for await (const { stream, offset, bytes, droppedBytes } of handle.output({ ...request, follow: false })) {
    first[stream] ??= offset;
    next[stream] = offset + bytes.length;
    dropped[stream] += droppedBytes;
    captures[stream].push(bytes);
  }
  const session = await handle.info();
  const document: Record<string, unknown> = { session };
  for (const stream of request.streams ?? STREAMS) {
    const { text, encoding } = textOrBase64(captures[stream].toBytes());
    const end = stream === 'stdout' ? session.stdout_bytes : session.stderr_bytes;
    document[stream] = text;
    document[`${stream}_encoding`] = encoding;
    document[`${stream}_offset`] = first[stream] ?? end;
    document[`${stream}_next_offset`] = next[stream] ?? end;
    document[`${stream}_truncated_bytes`] = captures[stream].truncatedBytes + dropped[stream];
  }
  return document;
}
