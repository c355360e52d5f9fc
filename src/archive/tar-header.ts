/** The 512-byte header block of ustar (POSIX.1-1988), GNU tar and pax (POSIX.1-2001). */
import { WreckitError } from '../errors.ts';
import { TAR_BLOCK_BYTES, type TarType } from './tar-member.ts';

export interface TarHeader {
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly typeFlag: string;
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
}

const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Throws `SPRITE_SYNC_FAILED` for a block that is no header. */
export function parseHeader(block: Uint8Array): TarHeader {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (parseOctal(bytes, CHECKSUM_AT, CHECKSUM_BYTES) !== checksumOf(bytes)) {
    throw new WreckitError('SPRITE_SYNC_FAILED', 'tar stream: a header has a wrong checksum');
  }
  const isUstar = bytes.toString('latin1', 257, 262) === 'ustar';
  // GNU's magic is "ustar  "; there the prefix field holds times instead of a path.
  const hasPrefix = isUstar && bytes[262] === 0;
  const prefix = hasPrefix ? text(bytes, 345, 155) : Buffer.alloc(0);
  const shortName = text(bytes, 0, 100);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), shortName]) : shortName,
    linkName: text(bytes, 157, 100),
    typeFlag: String.fromCharCode(bytes[156] ?? 0),
    mode: parseNumber(bytes, 100, 8) & 0o7777,
    mtimeSeconds: parseNumber(bytes, 136, 12),
    sizeBytes: parseNumber(bytes, 124, 12),
  };
}

export function typeOf(typeFlag: string, name: Buffer): TarType {
  switch (typeFlag) {
    case '0':
    case '7':
      return 'file';
    case '\0':
      // Before POSIX a directory was a file whose name ends in a slash.
      return name.at(-1) === 0x2f ? 'directory' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    default:
      return 'other';
  }
}

export function checksumOf(block: Uint8Array): number {
  let sum = 0x20 * CHECKSUM_BYTES;
  for (let at = 0; at < TAR_BLOCK_BYTES; at += 1) {
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + CHECKSUM_BYTES) sum += block[at] ?? 0;
  }
  return sum;
}

/** A copy: the block it is cut from is only valid until the next read. */
function text(block: Buffer, start: number, lengthBytes: number): Buffer {
  const field = block.subarray(start, start + lengthBytes);
  const end = field.indexOf(0);
  return Buffer.from(end === -1 ? field : field.subarray(0, end));
}

function parseOctal(block: Buffer, start: number, lengthBytes: number): number {
  const digits = block
    .toString('latin1', start, start + lengthBytes)
    .replaceAll('\0', ' ')
    .trim();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Octal, or GNU's base 256 (first bit set) for what octal has no room for. */
function parseNumber(block: Buffer, start: number, lengthBytes: number): number {
  const first = block[start] ?? 0;
  const value =
    (first & 0x80) === 0 ? parseOctal(block, start, lengthBytes) : parseBase256(block, start, lengthBytes);
  if (Number.isSafeInteger(value)) return value;
  throw new WreckitError('SPRITE_SYNC_FAILED', 'tar stream: a header has a number that is none');
}

function parseBase256(block: Buffer, start: number, lengthBytes: number): number {
  const isNegative = ((block[start] ?? 0) & 0x40) !== 0;
  let value = BigInt((block[start] ?? 0) & 0x3f);
  for (let at = start + 1; at < start + lengthBytes; at += 1) value = (value << 8n) | BigInt(block[at] ?? 0);
  if (isNegative) value -= 1n << BigInt(lengthBytes * 8 - 2);
  return Number(value);
}
