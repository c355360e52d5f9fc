/**
 * Reading tar streams that somebody else wrote, without trusting one byte.
 *
 *   src/archive (imports errors only; neutral ground of wisp and sync)
 *     tar-reader.ts     readTar(stream): members with raw names, pax and GNU long names resolved, sizes capped
 *     safe-path.ts      which names and link targets stay inside a directory
 *     safe-extract.ts   stageTar / extractSafely: verified members only, into a staging directory, then moved
 *     tar-writer.ts     writeTar(entries): ustar with pax where ustar has no room
 *     tar-directory.ts  tarDirectory(dir) / tarFile(file): what a host path holds, as a tar stream
 *
 * A stream must end with an end-of-archive block: one that was cut off is an error, never a short archive.
 */
import { WreckitError } from '../errors.ts';
import { ByteSource } from './byte-source.ts';
import { type PaxRecords, parsePax } from './pax.ts';
import { isZeroBlock, parseHeader, type TarHeader, typeOf } from './tar-header.ts';
import { printableName, TAR_BLOCK_BYTES, type TarMember } from './tar-member.ts';

/** Names beyond this can't be made on any file system (PATH_MAX is 4096); pax may carry many attributes. */
const MAX_LONG_NAME_BYTES = 64 * 1024;
const MAX_PAX_BYTES = 1024 * 1024;
/** Writers pad to their record size: 10 KiB by default, hardly ever above this. */
const MAX_PADDING_BYTES = 1024 * 1024;

export interface TarEntry extends TarMember {
  /** The content of a `file`. What is not read is skipped when the next member is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

interface Overrides {
  name?: Buffer | undefined;
  linkName?: Buffer | undefined;
  pax?: PaxRecords | undefined;
}

/** Members in order. Throws `SPRITE_SYNC_FAILED` for a stream that is no whole tar archive. */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = new ByteSource(stream);
  let isDrained = false;
  try {
    let globals: PaxRecords = new Map();
    let overrides: Overrides = {};
    for (;;) {
      const block = await source.readExactly(TAR_BLOCK_BYTES);
      if (block.length < TAR_BLOCK_BYTES) throw cutOff('before its end-of-archive mark');
      if (isZeroBlock(block)) break;
      const header = parseHeader(block);
      switch (header.typeFlag) {
        case 'x':
          overrides.pax = parsePax(await extension(source, header, MAX_PAX_BYTES));
          break;
        case 'g':
          globals = new Map([...globals, ...parsePax(await extension(source, header, MAX_PAX_BYTES))]);
          break;
        case 'L':
          overrides.name = untilNul(await extension(source, header, MAX_LONG_NAME_BYTES));
          break;
        case 'K':
          overrides.linkName = untilNul(await extension(source, header, MAX_LONG_NAME_BYTES));
          break;
        default:
          yield* oneMember(source, memberOf(header, overrides, globals));
          overrides = {};
      }
    }
    // The rest is padding up to the writer's record size; read, so that the writer isn't cut off.
    const paddingBytes = await source.skip(MAX_PADDING_BYTES + 1);
    if (paddingBytes > MAX_PADDING_BYTES) {
      throw new WreckitError('SPRITE_SYNC_FAILED', 'tar stream: goes on after its end-of-archive mark');
    }
    isDrained = true;
  } finally {
    if (!isDrained) await source.cancel();
  }
}

async function* oneMember(source: ByteSource, member: TarMember): AsyncGenerator<TarEntry> {
  let leftBytes = member.sizeBytes;
  async function* content(): AsyncGenerator<Uint8Array> {
    while (leftBytes > 0) {
      const part = await source.readSome(leftBytes);
      if (part === null) throw cutOff(`inside ${printableName(member.name)}`);
      leftBytes -= part.length;
      yield part;
    }
  }
  yield { ...member, content: content() };
  const paddingBytes = (TAR_BLOCK_BYTES - (member.sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
  const restBytes = leftBytes + paddingBytes;
  if ((await source.skip(restBytes)) < restBytes) throw cutOff(`inside ${printableName(member.name)}`);
}

function memberOf(header: TarHeader, overrides: Overrides, globals: PaxRecords): TarMember {
  const pax = new Map([...globals, ...(overrides.pax ?? [])]);
  const name = pax.get('path') ?? overrides.name ?? header.name;
  const type = typeOf(header.typeFlag, name);
  const isSparse = [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'));
  const declaredBytes = paxNumber(pax, 'size') ?? header.sizeBytes;
  if (!Number.isSafeInteger(declaredBytes) || declaredBytes < 0) {
    throw new WreckitError('SPRITE_SYNC_FAILED', `tar stream: ${printableName(name)} has no valid size`);
  }
  return {
    name: Buffer.from(name),
    type: isSparse ? 'other' : type,
    typeFlag: isSparse ? 'sparse' : header.typeFlag,
    mode: header.mode,
    mtimeSeconds: paxNumber(pax, 'mtime') ?? header.mtimeSeconds,
    // Links and directories have no content; some writers record a link target's size all the same.
    sizeBytes: type === 'file' || type === 'other' ? declaredBytes : 0,
    linkName: Buffer.from(pax.get('linkpath') ?? overrides.linkName ?? header.linkName),
  };
}

function paxNumber(pax: PaxRecords, key: string): number | undefined {
  const value = pax.get(key)?.toString('latin1');
  if (value === undefined) return undefined;
  const number = /^-?\d{1,16}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isNaN(number)) return number;
  throw new WreckitError('SPRITE_SYNC_FAILED', `tar stream: a pax header has no valid ${key}`);
}

async function extension(source: ByteSource, header: TarHeader, maxBytes: number): Promise<Buffer> {
  if (header.sizeBytes < 0 || header.sizeBytes > maxBytes) {
    throw new WreckitError(
      'SPRITE_SYNC_FAILED',
      `tar stream: an extended header has ${header.sizeBytes} bytes, at most ${maxBytes} are read`,
    );
  }
  const paddedBytes = Math.ceil(header.sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  const block = await source.readExactly(paddedBytes);
  if (block.length < paddedBytes) throw cutOff('inside an extended header');
  return Buffer.from(block.subarray(0, header.sizeBytes));
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

function cutOff(where: string): WreckitError {
  return new WreckitError('SPRITE_SYNC_FAILED', `tar stream: ends ${where}`);
}
