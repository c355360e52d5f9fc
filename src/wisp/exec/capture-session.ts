/** A foreground command for a JSON document: head and tail of each stream, what fell out between counted. */

import type { Io } from '../../cli/io.ts';
import type { ExecData } from '../../contract/schemas.ts';
import type { SessionHandle } from '../../engine/engine.ts';
import { BoundedCapture } from '../../process/capture.ts';
import { decodeUtf8 } from '../../process/text.ts';
import type { OutputEncoding } from '../flags.ts';
import { feedStdin } from './feed-stdin.ts';
import type { Forwarding } from './forward-signals.ts';
import { failing } from './stream-session.ts';

const DEFAULT_MAX_BYTES = 1024 * 1024;

export interface CaptureRequest {
  readonly io: Io;
  readonly handle: SessionHandle;
  readonly forwarding: Forwarding;
  readonly stdin: boolean;
  readonly maxBytes: number | undefined;
  readonly encoding: OutputEncoding | undefined;
  /** `performance.now()` before the command was asked for. */
  readonly startedAt: number;
}

export async function captureSession(request: CaptureRequest): Promise<ExecData> {
  const { io, handle, forwarding, stdin, maxBytes = DEFAULT_MAX_BYTES, encoding = 'utf8' } = request;
  const captures = { stdout: new BoundedCapture(maxBytes), stderr: new BoundedCapture(maxBytes) };
  const dropped = { stdout: 0, stderr: 0 };
  const broken = failing(stdin ? feedStdin(io.stdin, handle) : Promise.resolve());
  const read = async () => {
    for await (const { stream, bytes, droppedBytes } of handle.output({ follow: true })) {
      captures[stream].push(bytes);
      dropped[stream] += droppedBytes;
    }
    return await handle.exit();
  };
  const exit = await Promise.race([read(), forwarding.failed, broken]);
  return {
    session_id: handle.id,
    exit_code: exit.exitCode,
    signal: exit.signal,
    stdout: encode(captures.stdout.toBytes(), encoding),
    stderr: encode(captures.stderr.toBytes(), encoding),
    stdout_truncated_bytes: captures.stdout.truncatedBytes + dropped.stdout,
    stderr_truncated_bytes: captures.stderr.truncatedBytes + dropped.stderr,
    encoding,
    timed_out: exit.timedOut,
    duration_ms: Math.round(performance.now() - request.startedAt),
  };
}

function encode(bytes: Uint8Array, encoding: OutputEncoding): string {
  return encoding === 'utf8' ? decodeUtf8(bytes) : Buffer.from(bytes).toString('base64');
}
