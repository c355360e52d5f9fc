/** A WebSocket as a byte stream. Ending our side closes it: there is no half-close on the wire. */
import { Duplex } from 'node:stream';
import type { ApiChannel } from './api-channel.ts';

/** After our end of file: what the other side still has to say. */
const LAST_BYTES_MS = 5_000;
const FRAME_BYTES = 64 * 1024;

export function tunnelStream(channel: ApiChannel): Duplex {
  let isReading = false;
  const stream: Duplex = new Duplex({
    read() {
      if (isReading) return;
      isReading = true;
      void pump(channel, stream).then((isPaused) => {
        if (isPaused) isReading = false;
      });
    },
    write(chunk: Buffer, _encoding, done) {
      send(channel, chunk).then((isSent) => done(isSent ? null : new Error('the tunnel is closed')), done);
    },
    final(done) {
      // Whoever sends a request and ends its side still wants the answer; the wire knows no half-close.
      const timer = setTimeout(() => channel.close(), LAST_BYTES_MS);
      stream.once('close', () => clearTimeout(timer));
      stream.once('end', () => clearTimeout(timer));
      done();
    },
    destroy(error, done) {
      channel.close();
      done(error);
    },
  });
  return stream;
}

/** True: the reader has enough for now. */
async function pump(channel: ApiChannel, stream: Duplex): Promise<boolean> {
  for (;;) {
    const message = await channel.next();
    if (message.kind === 'end') {
      if (message.code === null || message.code === 1011) stream.destroy(new Error('the tunnel broke off'));
      else stream.push(null);
      return false;
    }
    if (message.kind === 'bytes' && !stream.push(message.bytes)) return true;
  }
}

async function send(channel: ApiChannel, chunk: Buffer): Promise<boolean> {
  for (let start = 0; start < chunk.length; start += FRAME_BYTES) {
    if (!(await channel.send(Buffer.from(chunk.subarray(start, start + FRAME_BYTES))))) return false;
  }
  return true;
}
