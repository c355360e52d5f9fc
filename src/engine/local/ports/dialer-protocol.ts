/** What the engine and the dialer of a sprite say before the bytes: one line of JSON each way. */
import type { Socket } from 'node:net';

export interface DialRequest {
  readonly host: string;
  readonly port: number;
}

/** `errno` null: connected. */
export interface DialAnswer {
  readonly errno: string | null;
}

const MAX_LINE_BYTES = 4096;

/** The first line; what comes after it stays in the socket. Null: it ended before, or is too long. */
export function readLine(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    let read = Buffer.alloc(0);
    const settle = (line: string | null): void => {
      socket.off('readable', onReadable);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      resolve(line);
    };
    const onEnd = (): void => settle(null);
    const onReadable = (): void => {
      let chunk: Buffer | null = socket.read();
      while (chunk !== null && take(chunk)) chunk = socket.read();
    };
    /** True: the line goes on. */
    const take = (chunk: Buffer): boolean => {
      read = Buffer.concat([read, chunk]);
      const at = read.indexOf(10);
      if (at === -1 && read.length <= MAX_LINE_BYTES) return true;
      const rest = at === -1 ? read : read.subarray(at + 1);
      settle(at === -1 ? null : read.subarray(0, at).toString('utf8'));
      if (rest.length > 0) socket.unshift(rest);
      return false;
    };
    socket.on('readable', onReadable);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
    onReadable();
  });
}
