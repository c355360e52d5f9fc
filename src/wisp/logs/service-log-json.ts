/**
 * A service's logs as JSON: one document of what there is, or with `--follow` a line per line printed and per event:
 *
 *   {"type":"output","seq":1,"time":…,"stream":"stdout","data":"…"}
 *   {"type":"started"|"stopping"|"stopped","seq":2,"time":…}
 *   {"type":"exit","seq":3,"time":…,"exit_code":1}
 *   {"type":"failed","seq":4,"time":…,"message":"…"}   it crashed too often
 *   {"type":"error","seq":5,"time":…,"error":{code, message, …}}
 */
import type { Io } from '../../cli/io.ts';
import type { VerbResult } from '../../cli/verb.ts';
import type { OutputStream, ServiceEvent, ServiceOps, ServiceOutputRequest } from '../../engine/engine.ts';
import { serviceView } from '../../engine/service-view.ts';
import { WreckitError } from '../../errors.ts';
import { BoundedCapture } from '../../process/capture.ts';
import { EventLines } from '../event-lines.ts';
import { textOrBase64 } from '../text-or-base64.ts';

const MAX_BYTES = 1024 * 1024;
const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];

/** As `logs --json` of a session, with `service` in place of `session`. */
export async function serviceLogDocument(
  services: ServiceOps,
  [name, service]: readonly [string, string],
  request: ServiceOutputRequest,
): Promise<Record<string, unknown>> {
  const captures = { stdout: new BoundedCapture(MAX_BYTES), stderr: new BoundedCapture(MAX_BYTES) };
  const first: Partial<Record<OutputStream, number>> = {};
  const next = { stdout: 0, stderr: 0 };
  const dropped = { stdout: 0, stderr: 0 };
  for await (const chunk of services.output(name, service, request)) {
    const { stream, offset, bytes, droppedBytes } = chunk;
    first[stream] ??= offset;
    next[stream] = offset + bytes.length;
    dropped[stream] += droppedBytes;
    captures[stream].push(bytes);
  }
  const document: Record<string, unknown> = { service: serviceView(await services.get(name, service)) };
  for (const stream of request.streams ?? STREAMS) {
    const { text, encoding } = textOrBase64(captures[stream].toBytes());
    document[stream] = text;
    document[`${stream}_encoding`] = encoding;
    document[`${stream}_offset`] = first[stream] ?? next[stream];
    document[`${stream}_next_offset`] = next[stream];
    document[`${stream}_truncated_bytes`] = captures[stream].truncatedBytes + dropped[stream];
  }
  return document;
}

interface EventContext {
  readonly io: Io;
  readonly args: readonly [string, string];
  readonly options: {
    readonly lines?: number;
    readonly from?: number;
    readonly stream?: OutputStream;
  };
  readonly signal: AbortSignal;
}

export async function writeServiceEvents(context: EventContext, services: ServiceOps): Promise<VerbResult> {
  const { io, args, options, signal } = context;
  if (options.from !== undefined) {
    throw new WreckitError('USAGE', 'service logs: --from counts bytes, and --follow --json prints lines', {
      hint: 'begin at a line: --lines N; or leave out --json',
    });
  }
  const lines = new EventLines(io);
  try {
    const request = { lines: options.lines ?? Number.MAX_SAFE_INTEGER, follow: true, signal };
    for await (const event of services.events(args[0], args[1], request)) {
      const isOther = options.stream !== undefined && (event.type === 'stdout' || event.type === 'stderr');
      if (isOther && event.type !== options.stream) continue;
      const { type, ...fields } = fieldsOf(event);
      if (!(await lines.write(type, fields))) return {};
    }
    return {};
  } catch (thrown) {
    return await lines.fail('service logs', thrown, signal);
  }
}

function fieldsOf(event: ServiceEvent): { readonly type: string; readonly [field: string]: unknown } {
  const time = new Date(event.timeMs).toISOString();
  switch (event.type) {
    case 'stdout':
    case 'stderr':
      return { type: 'output', time, stream: event.type, data: event.data };
    case 'exit':
      return { type: 'exit', time, exit_code: event.exitCode };
    case 'error':
      return { type: 'failed', time, message: event.data };
    default:
      return { type: event.type, time };
  }
}
