/**
 * One WebSocket to the server, as a queue of messages that is read at the reader's pace.
 *
 *   socket ──▶ queue (the socket is held back once QUEUE_BYTES wait) ──▶ next()
 *   send() ──▶ socket     (waits while HIGH_WATER_BYTES are on their way)
 *
 * A peer from which nothing comes for SILENCE_MS, not even the answer to a ping, is gone. `next()` says how it
 * ended: a close frame with its code, or the connection lost (code null).
 */
import { type RawData, WebSocket } from 'ws';
import { errnoOf, WreckitError } from '../../errors.ts';
import type { ApiClient } from './api-client.ts';
import { apiFault, type CallFacts } from './api-fault.ts';

export type ChannelMessage =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** The last one. `code` null: the connection broke off without a close frame. */
  | { readonly kind: 'end'; readonly code: number | null; readonly reason: string };

export interface ChannelCall extends CallFacts {
  readonly route: string;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A cold sprite is woken before its handshake is answered. */
const HANDSHAKE_TIMEOUT_MS = 60_000;
const LIMIT_PATIENCE_MS = 20_000;
const QUEUE_BYTES = 1024 * 1024;
const HIGH_WATER_BYTES = 1024 * 1024;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const PING_MS = 15_000;
const SILENCE_MS = 45_000;
const CLOSE_TIMEOUT_MS = 500;
/** What the library calls a connection that ended without a close frame, and one without a code. */
const NO_CLOSE_FRAME = 1006;
const MAX_REFUSAL_BYTES = 64 * 1024;

/** The handshake was not answered: whether the server did what was asked is not known. */
export class NoHandshake extends WreckitError {
  /** True: no connection was made at all, nothing was asked. */
  readonly isUnsent: boolean;

  constructor(isUnsent: boolean, ...rest: ConstructorParameters<typeof WreckitError>) {
    super(...rest);
    this.isUnsent = isUnsent;
  }
}

/**
 * Throws what `apiFault` makes of a refusal; `NoHandshake` when there was no answer. A refusal for the rate of calls
 * comes before anything is done, and is waited out like that of any other call.
 */
export async function openChannel(client: ApiClient, call: ChannelCall): Promise<ApiChannel> {
  const giveUpAt = performance.now() + LIMIT_PATIENCE_MS;
  for (;;) {
    try {
      return await openOnce(client, call);
    } catch (thrown) {
      if (!(await client.sitOutLimit(thrown, giveUpAt, call.signal))) throw thrown;
    }
  }
}

async function openOnce(client: ApiClient, call: ChannelCall): Promise<ApiChannel> {
  call.signal?.throwIfAborted();
  const { target } = client;
  const scheme = target.isSecure ? 'wss' : 'ws';
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const url =
    target.socketPath === null
      ? `${scheme}://${host}:${target.port}${target.basePath}${call.route}`
      : `ws+unix:${target.socketPath}:${call.route}`;
  const ws = new WebSocket(url, {
    headers: client.headers,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    followRedirects: false,
  });
  const channel = new ApiChannel(ws);
  try {
    await shaken(ws, client, call);
    return channel;
  } catch (thrown) {
    channel.drop();
    call.signal?.throwIfAborted();
    throw thrown;
  }
}

function shaken(ws: WebSocket, client: ApiClient, call: ChannelCall): Promise<void> {
  const { doing, signal, timeoutMs = HANDSHAKE_TIMEOUT_MS } = call;
  const { url } = client.target;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(late);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const late = setTimeout(() => {
      const message = `${doing}: ${url} has not answered within ${Math.round(timeoutMs / 1000)} s`;
      const hint =
        'the sprite may be waking still, or the server is in trouble: look (wisp sessions NAME), then try again';
      settle(() => reject(new NoHandshake(false, 'TIMEOUT', message, { hint, details: { api_url: url } })));
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    ws.once('upgrade', (response) => client.note(response.headers));
    ws.once('open', () => settle(resolve));
    ws.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const refuse = (): void => {
        const refusal = {
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES),
        };
        client.note(response.headers);
        settle(() =>
          reject(refusal.status >= 400 ? apiFault(refusal, call) : noUpgrade(doing, url, refusal.status)),
        );
      };
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MAX_REFUSAL_BYTES) chunks.push(chunk);
      });
      response.once('end', refuse).once('close', refuse).once('error', refuse);
    });
    ws.on('error', (error) => {
      const errno =
        errnoOf(error) ??
        /\b(ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|E[A-Z]+UNREACH|ENOENT)\b/.exec(error.message)?.[1];
      const isUnsent = errno !== undefined && !['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(errno);
      const message = `${doing}: ${url} can't be reached: ${errno ?? (error.message || 'the connection broke off')}`;
      settle(() =>
        reject(
          new NoHandshake(isUnsent, 'ENGINE_UNAVAILABLE', message, {
            hint: 'check the network and SPRITES_API_URL (wisp --engine cloud doctor)',
            details: { api_url: url, errno: errno ?? null },
            retryable: isUnsent,
            cause: error,
          }),
        ),
      );
    });
    ws.once('close', () => ws.emit('error', new Error('the connection broke off')));
  });
}

function noUpgrade(doing: string, url: string, status: number): WreckitError {
  return new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${url} answered ${status}, not with a WebSocket`, {
    hint: 'is SPRITES_API_URL the address of a server of the Sprites API, and is nothing between that breaks WebSockets?',
  });
}

export class ApiChannel {
  readonly #ws: WebSocket;
  readonly #queue: ChannelMessage[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  #queuedBytes = 0;
  #wake: (() => void) | null = null;
  #lastHeardAt = performance.now();
  #end: ChannelMessage | null = null;
  #pongs: (() => void)[] = [];

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data, isBinary) => this.#heard(data, isBinary));
    ws.on('ping', () => this.#alive());
    ws.on('pong', () => {
      this.#alive();
      for (const done of this.#pongs.splice(0)) done();
    });
    // `close` follows, and says what the reader needs to know.
    ws.on('error', () => undefined);
    ws.once('close', (code, reason) => {
      clearInterval(this.#heartbeat);
      const isClean = code !== NO_CLOSE_FRAME && code !== 0;
      this.#end = { kind: 'end', code: isClean ? code : null, reason: reason.toString('utf8') };
      for (const done of this.#pongs.splice(0)) done();
      this.#wake?.();
    });
    this.#heartbeat = setInterval(() => this.#beat(), PING_MS);
  }

  get isOpen(): boolean {
    return this.#end === null && this.#ws.readyState === WebSocket.OPEN;
  }

  /** The next message; after the last one always the end. Throws the signal's reason. */
  async next(signal?: AbortSignal): Promise<ChannelMessage> {
    signal?.throwIfAborted();
    while (this.#queue.length === 0 && this.#end === null) await this.#something(signal);
    const message = this.#queue.shift();
    if (message === undefined) return this.#end ?? { kind: 'end', code: null, reason: '' };
    this.#queuedBytes -= sizeOf(message);
    if (this.#queuedBytes < QUEUE_BYTES && this.#ws.isPaused) {
      this.#alive();
      this.#ws.resume();
    }
    return message;
  }

  /** The message just taken is the next one again. */
  putBack(message: ChannelMessage): void {
    if (message.kind === 'end') return;
    this.#queue.unshift(message);
    this.#queuedBytes += sizeOf(message);
  }

  /** Null when nothing came within `ms`. */
  async nextWithin(ms: number, signal?: AbortSignal): Promise<ChannelMessage | null> {
    const late = AbortSignal.timeout(ms);
    try {
      return await this.next(signal === undefined ? late : AbortSignal.any([late, signal]));
    } catch (thrown) {
      signal?.throwIfAborted();
      if (late.aborted) return null;
      throw thrown;
    }
  }

  /** Resolves when more may be sent; false: the connection is over. */
  async send(data: string | Uint8Array): Promise<boolean> {
    if (!this.isOpen) return false;
    const isOut = new Promise<boolean>((resolve) => {
      this.#ws.send(data, { binary: typeof data !== 'string' }, (error) => resolve(!error));
    });
    return this.#ws.bufferedAmount < HIGH_WATER_BYTES ? true : await isOut;
  }

  /** Resolves when the server has taken everything sent before; false: the connection ended first. */
  async settled(): Promise<boolean> {
    if (!this.isOpen) return false;
    await new Promise<void>((resolve) => {
      this.#pongs.push(resolve);
      this.#ws.ping();
    });
    return this.#end === null;
  }

  /** Says goodbye and does not wait for the answer. */
  close(): void {
    clearInterval(this.#heartbeat);
    if (this.#end !== null) return;
    if (this.#ws.isPaused) this.#ws.resume();
    this.#ws.close(1000);
    setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  drop(): void {
    clearInterval(this.#heartbeat);
    this.#ws.terminate();
  }

  #heard(data: RawData, isBinary: boolean): void {
    this.#alive();
    const bytes = bufferOf(data);
    // An empty frame only keeps the connection alive.
    if (isBinary && bytes.length === 0) return;
    this.#queue.push(isBinary ? { kind: 'bytes', bytes } : { kind: 'text', text: bytes.toString('utf8') });
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes >= QUEUE_BYTES) this.#ws.pause();
    this.#wake?.();
  }

  #alive(): void {
    this.#lastHeardAt = performance.now();
  }

  #beat(): void {
    // Held back, nothing can be heard.
    if (this.#ws.isPaused) this.#alive();
    else if (performance.now() - this.#lastHeardAt > SILENCE_MS) this.#ws.terminate();
    else if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  #something(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        this.#wake = null;
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const onAbort = (): void => done(() => reject(signal?.reason));
      this.#wake = () => done(resolve);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function sizeOf(message: ChannelMessage): number {
  if (message.kind === 'bytes') return message.bytes.length;
  return message.kind === 'text' ? Buffer.byteLength(message.text) : 0;
}

function bufferOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
