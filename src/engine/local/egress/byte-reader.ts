/** Reads the head of a connection piece by piece; what is left over belongs to whoever takes the socket next. */
import type { Socket } from 'node:net';

const HEAD_TIMEOUT_MS = 30_000;

export class HeadTooLong extends Error {}

export class ByteReader {
  readonly #socket: Socket;
  #bytes: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  #isEnded = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    socket.once('end', () => {
      this.#isEnded = true;
    });
  }

  /**
   * Waits until `find` says how many bytes it takes, takes them and returns them; null when the connection ends
   * first. Throws `HeadTooLong` past `maxBytes`.
   */
  async take(find: (bytes: Buffer) => number | null, maxBytes = 64 * 1024): Promise<Buffer | null> {
    for (;;) {
      const length = find(this.#bytes);
      if (length !== null) {
        const taken = this.#bytes.subarray(0, length);
        this.#bytes = this.#bytes.subarray(length);
        return taken;
      }
      if (this.#bytes.length > maxBytes) throw new HeadTooLong('the head of the request is too long');
      const more = await this.#next();
      if (more === null) return null;
      this.#bytes = Buffer.concat([this.#bytes, more]);
    }
  }

  /** What was read and not taken. */
  rest(): Buffer {
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return rest;
  }

  #next(): Promise<Buffer | null> {
    const socket = this.#socket;
    if (this.#isEnded || socket.destroyed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(null), HEAD_TIMEOUT_MS);
      const onData = (chunk: Buffer) => done(chunk);
      const onEnd = () => done(null);
      const done = (chunk: Buffer | null) => {
        clearTimeout(timer);
        socket.off('data', onData).off('end', onEnd).off('close', onEnd);
        socket.pause();
        resolve(chunk);
      };
      socket.on('data', onData).on('end', onEnd).on('close', onEnd);
      socket.resume();
    });
  }
}

/** For `take`: up to and with the first `mark`. */
export function upTo(mark: string): (bytes: Buffer) => number | null {
  return (bytes) => {
    const at = bytes.indexOf(mark);
    return at < 0 ? null : at + mark.length;
  };
}

export function exactly(length: number): (bytes: Buffer) => number | null {
  return (bytes) => (bytes.length >= length ? length : null);
}
