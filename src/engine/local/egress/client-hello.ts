/** The server name in a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3), which may be spread over records. */

export type ServerName =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'name'; readonly name: string }
  /** No TLS, or a ClientHello without a name. */
  | { readonly kind: 'none' };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;
/** Post-quantum key shares make hellos of 2 KiB; none needs this much. */
const MAX_HELLO_BYTES = 64 * 1024;

export function serverNameOf(bytes: Uint8Array): ServerName {
  const records = handshakeBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (records === null) return { kind: 'none' };
  const { data, isCut } = records;
  if (data.length < 4) return isCut ? { kind: 'incomplete' } : { kind: 'none' };
  if (data[0] !== CLIENT_HELLO) return { kind: 'none' };
  const length = data.readUIntBE(1, 3);
  if (length > MAX_HELLO_BYTES) return { kind: 'none' };
  if (data.length < 4 + length) return { kind: 'incomplete' };
  try {
    const name = nameInHello(data.subarray(4, 4 + length));
    return name === null ? { kind: 'none' } : { kind: 'name', name };
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'none' };
    throw error;
  }
}

/** Payload of the leading handshake records; null when the bytes begin with something else. */
function handshakeBytes(bytes: Buffer): { data: Buffer; isCut: boolean } | null {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== HANDSHAKE_RECORD) break;
    const length = bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  if (parts.length === 0 && bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) return null;
  return { data: Buffer.concat(parts), isCut: at >= bytes.length || at + 5 > bytes.length };
}

/** Reads past the end throw RangeError. */
function nameInHello(hello: Buffer): string | null {
  let at = 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  const end = at + 2 + hello.readUInt16BE(at);
  at += 2;
  while (at + 4 <= end) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    if (type === SERVER_NAME_EXTENSION) return hostName(hello.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return null;
}

function hostName(list: Buffer): string | null {
  let at = 2;
  while (at + 3 <= list.length) {
    const length = list.readUInt16BE(at + 1);
    if (list[at] === HOST_NAME) return list.toString('latin1', at + 3, at + 3 + length);
    at += 3 + length;
  }
  return null;
}
