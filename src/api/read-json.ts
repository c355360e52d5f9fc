/** A JSON body, with limits on its size and on how long it may take to come. */
import type { IncomingMessage } from 'node:http';
import { HttpRefusal } from './http-refusal.ts';

const MAX_JSON_BYTES = 1024 * 1024;
const BODY_TIMEOUT_MS = 30_000;

/** An empty body is `undefined`. Throws `HttpRefusal` 400, 408, 413. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const tooLarge = new HttpRefusal(413, 'payload_too_large', `body: more than ${MAX_JSON_BYTES} bytes`, {
    Connection: 'close',
  });
  if (Number(request.headers['content-length'] ?? 0) > MAX_JSON_BYTES) throw tooLarge;
  const text = await collect(request, tooLarge);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, 'bad_request', 'body: it is not JSON');
  }
}

async function collect(request: IncomingMessage, tooLarge: HttpRefusal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = new HttpRefusal(408, 'timeout', `body: not there within ${BODY_TIMEOUT_MS} ms`, {
    Connection: 'close',
  });
  const isDecoded = new TextDecoder('utf-8', { fatal: true });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(late), BODY_TIMEOUT_MS);
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      action();
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_JSON_BYTES) settle(() => reject(tooLarge));
      else chunks.push(chunk);
    });
    request.once('end', () => settle(resolve));
    const cut = new HttpRefusal(400, 'bad_request', 'body: it ended early');
    request.once('error', () => settle(() => reject(cut)));
    request.once('close', () => settle(() => reject(cut)));
  });
  try {
    return isDecoded.decode(Buffer.concat(chunks));
  } catch {
    throw new HttpRefusal(400, 'bad_request', 'body: it is not UTF-8');
  }
}
