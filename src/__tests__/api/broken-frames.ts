/** WebSocket frames that no client may send, and what the server makes of them. */
import { connect } from 'node:net';
import { eventually } from '../helpers/eventually.ts';

/** A frame as a client would mask it (with a mask of zeros), or as none should. */
function frame(
  opcode: number,
  payload: Buffer | string,
  { isMasked = true, length = -1, fin = true } = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const size = length === -1 ? bytes.length : length;
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | 127;
  head.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([head, ...(isMasked ? [Buffer.alloc(4)] : []), bytes]);
}

export const BROKEN_FRAMES: readonly [name: string, bytes: Buffer, code: number][] = [
  ['an unmasked frame', frame(2, 'x', { isMasked: false }), 1002],
  ['a reserved opcode', frame(3, 'x'), 1002],
  ['a frame longer than any', frame(2, 'x', { length: 2 ** 40 }), 1009],
  ['a continuation of nothing', frame(0, 'x'), 1002],
  ['text that is no UTF-8', frame(1, Buffer.of(0xff, 0xfe)), 1007],
  ['a ping that is too long', frame(9, Buffer.alloc(200)), 1002],
];

/** Sends `bytes` once the session is there, and returns the code the server closes with. */
export async function closeCodeFor(
  api: { readonly url: string; readonly token: string },
  path: string,
  bytes: Buffer,
): Promise<number> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let got = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await eventually(() => got.includes('session_info'));
  socket.write(bytes);
  await closed;
  const isCloseFrame = got.subarray(-4, -2).equals(Buffer.of(0x88, 2));
  return isCloseFrame ? got.readUInt16BE(got.length - 2) : 0;
}
