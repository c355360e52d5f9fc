/**
 * Output as it comes, one JSON document per line:
 *
 *   {"type":"output","seq":1,"time":…,"stream":"stdout","offset":0,"data":"…","encoding":"utf8"}
 *   {"type":"exit","seq":2,"time":…,"exit_code":0,"signal":null,"timed_out":false}
 *   {"type":"error","seq":2,"time":…,"error":{code, message, hint, retryable, details}}
 *
 * Data is text; a piece that is not UTF-8 is base64. A character cut between two pieces comes whole with the
 * second. `dropped_bytes` says how many before `offset` the log no longer had.
 */
import type { Io } from '../../cli/io.ts';
import type { VerbResult } from '../../cli/verb.ts';
import type { OutputChunk, OutputRequest, OutputStream, SessionHandle } from '../../engine/engine.ts';
import { EventLines } from '../event-lines.ts';
import { textOrBase64 } from '../text-or-base64.ts';
import { incompleteTailBytes } from '../utf8-tail.ts';

export async function writeLogLines(
  io: Io,
  handle: SessionHandle,
  request: OutputRequest & { readonly signal: AbortSignal },
): Promise<VerbResult> {
  const lines = new EventLines(io);
  const pieces = new Pieces();
  try {
    for await (const chunk of handle.output(request)) {
      const piece = pieces.next(chunk);
      if (piece !== null && !(await lines.write('output', piece))) return {};
    }
    for (const piece of pieces.rest()) await lines.write('output', piece);
    const { exitCode, signal, timedOut } = await handle.exit({ signal: request.signal });
    await lines.write('exit', { exit_code: exitCode, signal, timed_out: timedOut });
    return {};
  } catch (thrown) {
    return await lines.fail('logs', thrown, request.signal);
  }
}

type Piece = Record<string, unknown>;

/** Keeps the beginning of a character back until the rest of it comes. */
class Pieces {
  readonly #held = new Map<OutputStream, { offset: number; bytes: Uint8Array }>();

  next({ stream, offset, bytes, droppedBytes }: OutputChunk): Piece | null {
    const held = this.#held.get(stream);
    const isNext = held !== undefined && droppedBytes === 0;
    const whole = isNext ? Buffer.concat([held.bytes, bytes]) : Buffer.from(bytes);
    const start = isNext ? held.offset : offset;
    const keptBytes = whole.length - incompleteTailBytes(whole);
    this.#held.delete(stream);
    if (keptBytes < whole.length) {
      this.#held.set(stream, { offset: start + keptBytes, bytes: whole.subarray(keptBytes) });
    }
    if (keptBytes === 0) return null;
    return pieceOf(stream, start, whole.subarray(0, keptBytes), droppedBytes);
  }

  /** What was held back and never became a character. */
  *rest(): Generator<Piece> {
    for (const [stream, { offset, bytes }] of this.#held) yield pieceOf(stream, offset, bytes, 0);
  }
}

function pieceOf(stream: OutputStream, offset: number, bytes: Uint8Array, droppedBytes: number): Piece {
  const { text, encoding } = textOrBase64(bytes);
  const dropped = droppedBytes > 0 ? { dropped_bytes: droppedBytes } : {};
  return { stream, offset, data: text, encoding, ...dropped };
}
