/**
 * Output as frames to one client. What is read goes where it is sent from, one byte behind the place of the byte
 * that names its stream; and memory is used again as soon as its frame is out: to have the kernel map fresh
 * memory for each frame costs more than all else that is done with its bytes.
 */
import type { OutputStream } from '../../engine/engine.ts';
import type { ApiSocket } from '../api-socket.ts';
import { FRAME, outputFrame } from './frames.ts';

const FRAME_BYTES = 256 * 1024;
/** As many as keep the connection busy while the next one is filled. */
const MAX_FRAMES = 4;

export class FrameSender {
  readonly #socket: ApiSocket;
  readonly #free: Buffer[] = [];
  #count = 0;
  /** The one whose bytes were asked for last. */
  #next: Buffer | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: ApiSocket) {
    this.#socket = socket;
    socket.closing.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** Where the next bytes may be put; waits until a frame is out. Null: the client is gone. */
  async nextBuffer(): Promise<Uint8Array | null> {
    this.#next ??= await this.#take();
    return this.#next?.subarray(1) ?? null;
  }

  /** `stream` null: without a byte that names it. False: the client is gone. */
  async send(stream: OutputStream | null, bytes: Uint8Array): Promise<boolean> {
    const frame = this.#next;
    if (frame === null || bytes.buffer !== frame.buffer) {
      return await this.#socket.sendBytes(stream === null ? bytes.slice() : outputFrame(stream, bytes));
    }
    this.#next = null;
    if (stream !== null) frame[0] = FRAME[stream];
    const sent = frame.subarray(stream === null ? 1 : 0, bytes.length + 1);
    return await this.#socket.sendBytes(sent, () => {
      this.#free.push(frame);
      this.#wake?.();
    });
  }

  /** For one caller at a time. */
  async #take(): Promise<Buffer | null> {
    for (;;) {
      if (this.#socket.closing.aborted) return null;
      const free = this.#free.pop();
      if (free !== undefined) return free;
      if (this.#count < MAX_FRAMES) {
        this.#count += 1;
        // Not from a pool that is shared: by its memory it is known again.
        return Buffer.allocUnsafeSlow(FRAME_BYTES + 1);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
