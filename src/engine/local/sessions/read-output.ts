/** A session's logs as one stream of chunks. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutputChunk, OutputRequest, OutputStream } from '../../engine.ts';
import type { Changes } from './changes.ts';
import { EndOfOutput } from './end-of-output.ts';
import type { Lease } from './lease.ts';
import { LogCursor } from './log-cursor.ts';

const CHUNK_BYTES = 256 * 1024;
/** Who writes as much at once has more in a moment: to read every bit of it alone costs both more than the wait. */
const BULK_BYTES = 32 * 1024;
const BULK_PAUSE_MS = 2;

export interface OutputSource {
  /** The session's directory. */
  readonly path: string;
  readonly streams: readonly OutputStream[];
  readonly request: OutputRequest;
  /** What keeps the bytes until they are read. */
  readonly lease: Lease | null;
}

export interface Following {
  readonly changes: Changes;
  /** Called before each wait. */
  readonly onWait: () => Promise<void>;
}

/** Chunks as they come, to the end of the session. */
export async function* followOutput(source: OutputSource, following: Following): AsyncGenerator<OutputChunk> {
  const { path, request } = source;
  const logs = openLogs(source);
  const end = new EndOfOutput(path);
  const own = request.nextBuffer === undefined ? new Uint8Array(CHUNK_BYTES) : null;
  let buffer: Uint8Array | null = own;
  try {
    for (let isOver = false; ; ) {
      let hasRead = false;
      let isBulk = false;
      for (const log of logs) {
        request.signal?.throwIfAborted();
        source.lease?.advance(log.stream, log.offset);
        buffer ??= (await request.nextBuffer?.()) ?? null;
        if (buffer === null) return;
        const chunk = log.read(buffer, Number.MAX_SAFE_INTEGER);
        if (chunk === null) continue;
        hasRead = true;
        isBulk ||= chunk.bytes.length >= BULK_BYTES && chunk.bytes.length < buffer.length;
        buffer = own;
        yield chunk;
      }
      if (isBulk) await sleep(BULK_PAUSE_MS);
      if (hasRead) end.sawBytes();
      else if (isOver) break;
      else if (end.isReached()) isOver = true;
      else {
        for (const log of logs) source.lease?.settle(log.stream, log.offset);
        await following.onWait();
        await following.changes.next(request, end.nextLookMs());
      }
    }
    yield* droppedAtEnd(logs);
  } finally {
    for (const log of logs) log[Symbol.dispose]();
  }
}

/** What the logs have now. */
export async function* presentOutput(source: OutputSource): AsyncGenerator<OutputChunk> {
  const logs = openLogs(source);
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    for (const log of logs) {
      const end = log.end();
      for (;;) {
        source.request.signal?.throwIfAborted();
        source.lease?.advance(log.stream, log.offset);
        const chunk = log.read(buffer, end);
        if (chunk === null) break;
        yield chunk;
      }
    }
    yield* droppedAtEnd(logs);
  } finally {
    for (const log of logs) log[Symbol.dispose]();
  }
}

function* droppedAtEnd(logs: readonly LogCursor[]): Generator<OutputChunk> {
  for (const log of logs) {
    const chunk = log.droppedAtEnd();
    if (chunk !== null) yield chunk;
  }
}

function openLogs({ path, streams, request }: OutputSource): LogCursor[] {
  return streams.map((stream) => {
    const from = stream === 'stdout' ? request.stdoutFrom : request.stderrFrom;
    return new LogCursor(path, stream, from ?? 0);
  });
}
