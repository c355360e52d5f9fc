/** The two ways to watch a service: as events with lines of text, and as the bytes of its logs. */
import type { OutputChunk, OutputStream } from '../../engine.ts';
import type { ServiceEvent, ServiceEventsRequest, ServiceOutputRequest } from '../../services.ts';
import { Journal } from './journal.ts';
import { lastLinesOffset } from './last-lines.ts';
import { type WatchedService, watchService } from './watch-service.ts';

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];
/** A line longer than this comes in pieces. */
const MAX_LINE_CHARS = 16 * 1024;

export async function* serviceEvents(
  watched: WatchedService,
  { lines = 0, sinceStart = false, follow, signal }: ServiceEventsRequest,
): AsyncGenerator<ServiceEvent> {
  const journal = new Journal(watched.dir);
  const started = sinceStart ? journal.toLastStart() : null;
  const lastLines = (stream: OutputStream): number => lastLinesOffset(watched.logs, stream, lines);
  const from = {
    stdout: started?.stdout ?? lastLines('stdout'),
    stderr: started?.stderr ?? lastLines('stderr'),
  };
  const texts = { stdout: new Lines(), stderr: new Lines() };
  for await (const happening of watchService(watched, { from, journal, follow, signal })) {
    if (happening.kind === 'event') {
      yield happening.event;
      continue;
    }
    const { stream, bytes } = happening.chunk;
    for (const data of texts[stream].add(bytes)) yield { type: stream, data, timeMs: Date.now() };
  }
  for (const stream of STREAMS) {
    for (const data of texts[stream].end()) yield { type: stream, data, timeMs: Date.now() };
  }
}

export async function* serviceOutput(
  watched: WatchedService,
  { stdoutFrom, stderrFrom, lines, streams = STREAMS, follow = false, signal }: ServiceOutputRequest,
): AsyncGenerator<OutputChunk> {
  const asked = { stdout: stdoutFrom, stderr: stderrFrom };
  const from: Partial<Record<OutputStream, number>> = {};
  for (const stream of streams) {
    from[stream] = asked[stream] ?? (lines === undefined ? 0 : lastLinesOffset(watched.logs, stream, lines));
  }
  for await (const happening of watchService(watched, { from, journal: null, follow, signal })) {
    if (happening.kind === 'output') yield happening.chunk;
  }
}

/** Bytes to lines of text, each with its newline; an end without one is shown at once, too. */
class Lines {
  readonly #decoder = new TextDecoder();

  add(bytes: Uint8Array): string[] {
    return pieces(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): string[] {
    return pieces(this.#decoder.decode());
  }
}

function pieces(text: string): string[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return lines.flatMap((line) => {
    if (line.length <= MAX_LINE_CHARS) return [line];
    const count = Math.ceil(line.length / MAX_LINE_CHARS);
    return Array.from({ length: count }, (_, index) =>
      line.slice(index * MAX_LINE_CHARS, (index + 1) * MAX_LINE_CHARS),
    );
  });
}
