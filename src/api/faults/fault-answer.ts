/** What a plain request is answered, or an upgrade instead of its handshake, where a fault wants it so. */

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fired } from '../../process/abort.ts';
import { contentTypeOf, type PlainAnswer, textOf } from '../http-manners.ts';
import type { Reply } from '../reply.ts';
import type { FaultOf, FaultRule } from './fault-rule.ts';

/**
 * Before the request is looked at: the answer in place of its own, or null to go on. A request that hangs does
 * so here; rejects when its client leaves first.
 */
export async function answerInstead(fault: FaultRule, signal: AbortSignal): Promise<PlainAnswer | null> {
  switch (fault.kind) {
    case 'rate-limited':
      return rateLimit(fault);
    case 'error': {
      const { status, retry_after_seconds: after, body } = fault;
      const headers = after === undefined ? {} : { 'Retry-After': String(Math.ceil(after)) };
      return { status, headers, body: body ?? failure(status) };
    }
    case 'not-done':
      return { status: fault.status, headers: {}, body: fault.body };
    case 'hang':
      if (fault.delay_ms === undefined) await fired(signal);
      else await sleep(fault.delay_ms, undefined, { signal });
      signal.throwIfAborted();
      return null;
    default:
      return null;
  }
}

/** Once it is done: an answer that says it failed, or null. */
export function answerAfterwards(fault: FaultRule): PlainAnswer | null {
  if (fault.kind !== 'done-but-error') return null;
  return { status: fault.status, headers: {}, body: fault.body ?? failure(fault.status) };
}

export function sendFalse(response: ServerResponse, { status, headers, body }: PlainAnswer): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body === undefined) return void response.writeHead(status).end();
  const text = Buffer.from(textOf(body));
  response.writeHead(status, { 'Content-Type': contentTypeOf(body), 'Content-Length': text.length });
  response.end(text);
}

/** The right answer, cut or spoiled. */
export async function sendSpoiled(
  response: ServerResponse,
  reply: Reply,
  fault: FaultOf<'drop'> | FaultOf<'malformed'>,
): Promise<void> {
  const isStream = reply.kind === 'bytes';
  const type = isStream
    ? 'application/octet-stream'
    : reply.kind === 'ndjson'
      ? 'application/x-ndjson'
      : 'application/json';
  const chunks = fault.kind === 'drop' ? wireBytes(reply) : spoiled(reply, fault);
  response.writeHead(reply.kind === 'ndjson' ? 200 : reply.status, { 'Content-Type': type });
  response.flushHeaders();
  let left = fault.kind === 'drop' ? fault.after_bytes : Number.POSITIVE_INFINITY;
  for await (const chunk of chunks) {
    if (!(await written(response, chunk.subarray(0, left)))) return;
    // The connection ends without the answer's end; destroyed at once, it could lose what is on its way.
    if (chunk.length >= left) return void response.socket?.end();
    left -= chunk.length;
  }
  response.end();
}

/** Whatever the reply would do while it is sent, done. */
export async function finish(reply: Reply): Promise<void> {
  for await (const _ of wireBytes(reply));
}

async function* wireBytes(reply: Reply): AsyncGenerator<Buffer> {
  if (reply.kind === 'json') yield Buffer.from(`${JSON.stringify(reply.body)}\n`);
  if (reply.kind === 'ndjson')
    for await (const line of reply.lines) yield Buffer.from(`${JSON.stringify(line)}\n`);
  if (reply.kind === 'bytes') for await (const chunk of reply.chunks) yield Buffer.from(chunk);
}

async function* spoiled(reply: Reply, { text }: FaultOf<'malformed'>): AsyncGenerator<Buffer> {
  for await (const whole of wireBytes(reply)) {
    yield text === undefined ? whole.subarray(0, Math.floor(whole.length / 2)) : Buffer.from(text);
    if (reply.kind === 'ndjson') yield Buffer.from('\n');
  }
}

function rateLimit(fault: FaultOf<'rate-limited'>): PlainAnswer {
  const { code, retry_after_seconds: after, limit, window_seconds, current_count } = fault;
  const body = {
    error: code,
    message: `too many requests: ${limit} in ${window_seconds} s`,
    limit,
    window_seconds,
    ...(after === null ? {} : { retry_after_seconds: after }),
    ...(current_count === undefined ? {} : { current_count }),
  };
  const headers = {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': '0',
    ...(after === null
      ? {}
      : {
          'Retry-After': String(Math.ceil(after)),
          'X-RateLimit-Reset': String(Math.ceil(Date.now() / 1000 + after)),
        }),
  };
  return { status: 429, headers, body };
}

function failure(status: number): unknown {
  return { error: 'internal_error', message: `the request failed with ${status}, as --faults wants it` };
}

function written(response: ServerResponse, chunk: Buffer): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    response.once('close', () => resolve(false));
    response.write(chunk, (error) => resolve(!error));
  });
}
