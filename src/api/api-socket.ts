/**
 * One WebSocket of a client: what is sent waits for a slow reader, what comes is handed over one message at a
 * time and held back while the last one is being worked on.
 *
 *   send ──▶ queue of at most HIGH_WATER_BYTES ──▶ socket       (then `send` waits; after `stallMs` it gives up)
 *   receive ◀── one handler call at a time ◀── socket           (paused once QUEUE_BYTES wait)
 */
import type { RawData, WebSocket } from 'ws';

export type SocketMessage =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer };

export interface ApiSocketOptions {
  /** A peer that takes nothing for this long is let go. */
  readonly stallMs: number;
}

/** What may wait in this process for a slow reader. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** What may wait for a slow handler before the peer is held back. */
const QUEUE_BYTES = 1024 * 1024;
/** How long a peer may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000;
const MAX_REASON_BYTES = 120;

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocol: 1002,
  internal: 1011,
  nonZeroExit: 4000,
} as const;

export class ApiSocket {
  readonly #ws: WebSocket;
  readonly #stallMs: number;
  readonly #closing = new AbortController();
  readonly #closed: Promise<void>;
  readonly #queue: SocketMessage[] = [];
  #queuedBytes = 0;
  #lastSent: Promise<boolean> = Promise.resolve(true);
  #lastSentAt = performance.now();

  constructor(ws: WebSocket, { stallMs }: ApiSocketOptions) {
    this.#ws = ws;
    this.#stallMs = stallMs;
    // Until somebody receives.
    ws.pause();
    this.#closed = new Promise((resolve) => {
      ws.once('close', () => {
        this.#closing.abort();
        resolve();
      });
    });
    // `close` follows; what the peer did wrong it was told in the close frame.
    ws.on('error', () => this.#closing.abort());
  }

  /** Aborted as soon as the connection ends, from whichever side. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Since anything was last sent. */
  get silentMs(): number {
    return performance.now() - this.#lastSentAt;
  }

  sendJson(value: unknown): Promise<boolean> {
    return this.sendText(JSON.stringify(value));
  }

  sendText(text: string): Promise<boolean> {
    return this.#send(text, false);
  }

  /** The bytes must not change until `onOut` is called. False: the peer is gone. */
  sendBytes(bytes: Uint8Array, onOut?: () => void): Promise<boolean> {
    return this.#send(bytes, true, onOut);
  }

  /** Resolves when the bytes have left this process, however little waits. */
  async sent(bytes: Uint8Array): Promise<boolean> {
    void this.#send(bytes, true);
    return await this.#lastSent;
  }

  ping(): void {
    if (this.#isOpen()) this.#ws.ping();
  }

  /** To be called once. A handler that throws ends the connection. */
  receive(handler: (message: SocketMessage) => void | Promise<void>): void {
    let isBusy = false;
    const work = async (): Promise<void> => {
      isBusy = true;
      for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
        await handler(message);
        this.#queuedBytes -= sizeOf(message);
        if (this.#queuedBytes < QUEUE_BYTES && this.#ws.isPaused) this.#ws.resume();
      }
      isBusy = false;
    };
    this.#ws.on('message', (data, isBinary) => {
      const bytes = bufferOf(data);
      const message: SocketMessage = isBinary
        ? { kind: 'bytes', bytes }
        : { kind: 'text', text: bytes.toString('utf8') };
      if (this.closing.aborted) return;
      this.#queue.push(message);
      this.#queuedBytes += bytes.length;
      if (this.#queuedBytes >= QUEUE_BYTES) this.#ws.pause();
      if (!isBusy) work().catch(() => void this.close(CLOSE.internal, 'the message could not be handled'));
    });
    this.#ws.resume();
  }

  /** Closes once everything sent is out; resolves when the connection is gone. */
  async close(code: number, reason = ''): Promise<void> {
    await this.#lastSent;
    this.#closing.abort();
    if (this.#ws.isPaused) this.#ws.resume();
    this.#ws.close(code, shortened(reason));
    const timer = setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  /** Drops the connection without a word. */
  terminate(): void {
    this.#ws.terminate();
  }

  #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  #send(data: string | Uint8Array, binary: boolean, onOut?: () => void): Promise<boolean> {
    if (!this.#isOpen()) return Promise.resolve(false);
    const sent = new Promise<boolean>((resolve) => {
      const stalled = setTimeout(() => this.#ws.terminate(), this.#stallMs);
      this.#ws.send(data, { binary }, (error) => {
        clearTimeout(stalled);
        this.#lastSentAt = performance.now();
        onOut?.();
        resolve(!error);
      });
    });
    this.#lastSent = sent;
    return this.#ws.bufferedAmount < HIGH_WATER_BYTES ? Promise.resolve(true) : sent;
  }
}

/** A close frame has room for 123 bytes (RFC 6455 §5.5); more of them, and it would not be sent at all. */
function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  return bytes.toString('utf8', 0, MAX_REASON_BYTES).replace(/\ufffd+$/, '');
}

function sizeOf(message: SocketMessage): number {
  return message.kind === 'text' ? Buffer.byteLength(message.text) : message.bytes.length;
}

function bufferOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
