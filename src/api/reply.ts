/** What a route answers, and how it goes out: with back-pressure, and no longer than somebody reads. */
import type { ServerResponse } from 'node:http';
import type { ErrorAnswer } from './api-error.ts';

export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'empty'; readonly status: number }
  /** One JSON document per line. A failure on the way is the last line. */
  | { readonly kind: 'ndjson'; readonly lines: AsyncIterable<unknown> }
  /** Each chunk is one HTTP chunk. A failure on the way cuts the connection, so that it can't be taken for the end. */
  | {
      readonly kind: 'bytes';
      readonly status: number;
      readonly chunks: AsyncIterable<Uint8Array>;
      /** True: the headers go out before the first chunk is there; it can't fail any more then. */
      readonly isEager: boolean;
    };

export function json(body: unknown, status = 200): Reply {
  return { kind: 'json', status, body };
}

export function noContent(): Reply {
  return { kind: 'empty', status: 204 };
}

export function ndjson(lines: AsyncIterable<unknown>): Reply {
  return { kind: 'ndjson', lines };
}

export function bytes(chunks: AsyncIterable<Uint8Array>, status = 200): Reply {
  return { kind: 'bytes', status, chunks, isEager: false };
}

/** Of something that has begun already, and may take its time. */
export function eagerBytes(chunks: AsyncIterable<Uint8Array>): Reply {
  return { kind: 'bytes', status: 200, chunks, isEager: true };
}

export interface SendOptions {
  /** A reader that takes nothing for this long is let go. */
  readonly stallMs: number;
  readonly toErrorAnswer: (thrown: unknown) => ErrorAnswer;
}

/** Resolves when it is out, or the reader is gone. Rejects with what was thrown before the first byte went out. */
export async function sendReply(response: ServerResponse, reply: Reply, options: SendOptions): Promise<void> {
  switch (reply.kind) {
    case 'json':
      return sendJson(response, reply.status, reply.body);
    case 'empty':
      response.writeHead(reply.status).end();
      return;
    case 'ndjson':
      return await sendLines(response, reply.lines, options);
    case 'bytes':
      return await sendBytes(response, reply, options);
  }
}

export function sendError(response: ServerResponse, { status, headers, body }: ErrorAnswer): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendJson(response, status, body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': text.length });
  response.end(text);
}

async function sendLines(
  response: ServerResponse,
  lines: AsyncIterable<unknown>,
  { stallMs, toErrorAnswer }: SendOptions,
): Promise<void> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  try {
    for (let next = first; !next.done; next = await iterator.next()) {
      if (!(await writeOut(response, line(next.value), stallMs))) return;
    }
  } catch (thrown) {
    if (response.destroyed) return;
    const { body } = toErrorAnswer(thrown);
    const text = body.message ?? body.error;
    const failure = { type: 'error', ...body, error: text, data: text, time: new Date().toISOString() };
    await writeOut(response, line(failure), stallMs);
  } finally {
    await iterator.return?.();
  }
  response.end();
}

async function sendBytes(
  response: ServerResponse,
  { status, chunks, isEager }: Extract<Reply, { kind: 'bytes' }>,
  { stallMs }: SendOptions,
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]();
  const begin = (): void => {
    response.writeHead(status, { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store' });
    response.flushHeaders();
  };
  if (isEager) begin();
  try {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      if (!response.headersSent) begin();
      if (next.value.length > 0 && !(await writeOut(response, next.value, stallMs))) return;
    }
    if (!response.headersSent) begin();
    response.end();
  } catch (thrown) {
    if (!response.headersSent) throw thrown;
    response.destroy();
  } finally {
    await iterator.return?.();
  }
}

/** Resolves when the next chunk may come; false: nobody reads any more. */
function writeOut(response: ServerResponse, chunk: Uint8Array, stallMs: number): Promise<boolean> {
  if (response.destroyed || response.closed) return Promise.resolve(false);
  // The chunk's memory may be used again for the next one, so that it must be out before.
  return new Promise((resolve) => {
    const done = (isOut: boolean): void => {
      clearTimeout(stalled);
      response.off('close', gone);
      resolve(isOut);
    };
    const gone = (): void => done(false);
    const stalled = setTimeout(() => response.destroy(), stallMs);
    response.once('close', gone);
    response.write(chunk, (error) => done(!error));
  });
}
