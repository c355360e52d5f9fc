/**
 * Output as frames to one client. The memory of a large frame is used again as soon as it is out: to have the
 * kernel map fresh memory for each costs more than all else that is done with its bytes.
 */
import type { OutputStream } from '../../engine/engine.ts';
import type { ApiSocket } from '../api-socket.ts';
import { FRAME } from './frames.ts';

/** Below this a frame has memory of its own. */
const SMALL_BYTES = 16 * 1024;
const BUFFER_BYTES = 256 * 1024 + 1;
/** As many as keep the connection busy while the next one is filled. */
const MAX_BUFFERS = 4;

export class FrameSender {
  readonly #socket: ApiSocket;
  readonly #free: Buffer[] = [];
  #count = 0;
  #wake: (() => void) | null = null;

  constructor(socket: ApiSocket) {
    this.#socket = socket;
    socket.closing.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** The bytes are copied. `stream` null: they go without a first byte that names it. False: the client is gone. */
  async send(stream: OutputStream | null, bytes: Uint8Array): Promise<boolean> {
    const prefix = stream === null ? 0 : 1;
    const length = bytes.length + prefix;
    const isLarge = length >= SMALL_BYTES && length <= BUFFER_BYTES;
    const buffer = isLarge ? await this.#take() : Buffer.allocUnsafe(length);
    if (buffer === null) return false;
    if (stream !== null) buffer[0] = FRAME[stream];
    buffer.set(bytes, prefix);
    const giveBack = (): void => {
      this.#free.push(buffer);
      this.#wake?.();
    };
    return await this.#socket.sendBytes(buffer.subarray(0, length), isLarge ? giveBack : undefined);
  }

  /** Null: the client is gone. */
  async #take(): Promise<Buffer | null> {
    for (;;) {
      if (this.#socket.closing.aborted) return null;
      const free = this.#free.pop();
      if (free !== undefined) return free;
      if (this.#count < MAX_BUFFERS) {
        this.#count += 1;
        return Buffer.allocUnsafeSlow(BUFFER_BYTES);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
