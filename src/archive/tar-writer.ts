/** Writing tar streams: ustar headers, with a pax header before a member that ustar has no room for. */
import { WreckitError } from '../errors.ts';
import { paxRecord } from './pax.ts';
import { checksumOf } from './tar-header.ts';
import { printableName, TAR_BLOCK_BYTES } from './tar-member.ts';

export interface TarInput {
  /** Relative, with `/` between parts; text is written as UTF-8. */
  readonly name: string | Buffer;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink';
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  /** Exact size of `content`; 0 for everything but a file. */
  readonly sizeBytes: number;
  readonly linkName?: string | Buffer | undefined;
  readonly content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined;
}

const TYPE_FLAGS = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const;
const MAX_OCTAL_SIZE = 0o77777777777;
const NAME_BYTES = 100;
/** Small members are joined up to this, so that a pipe isn't fed in 512-byte writes. */
const BATCH_BYTES = 64 * 1024;

/** A whole archive with its end mark. Throws `SPRITE_SYNC_FAILED` where content is not of the size declared. */
export async function* writeTar(
  entries: AsyncIterable<TarInput> | Iterable<TarInput>,
): AsyncGenerator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  for await (const part of parts(entries)) {
    batch.push(part);
    batchBytes += part.length;
    if (batchBytes < BATCH_BYTES) continue;
    yield batch.length === 1 ? part : Buffer.concat(batch, batchBytes);
    batch = [];
    batchBytes = 0;
  }
  yield Buffer.concat(batch, batchBytes);
}

async function* parts(entries: AsyncIterable<TarInput> | Iterable<TarInput>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield headerOf(entry);
    if (entry.type === 'file') yield* contentOf(entry);
  }
  yield Buffer.alloc(2 * TAR_BLOCK_BYTES);
}

async function* contentOf(entry: TarInput): AsyncGenerator<Uint8Array> {
  let writtenBytes = 0;
  for await (const chunk of entry.content ?? []) {
    writtenBytes += chunk.length;
    if (writtenBytes > entry.sizeBytes) break;
    // A copy: a chunk may be reused by its source before the batch it is in goes out.
    yield chunk.length < BATCH_BYTES ? Buffer.from(chunk) : chunk;
  }
  if (writtenBytes !== entry.sizeBytes) {
    const shown = printableName(Buffer.from(entry.name));
    throw new WreckitError('SPRITE_SYNC_FAILED', `archive: ${shown} changed while it was read`, {
      hint: 'try again when nothing writes to it',
      retryable: true,
    });
  }
  yield Buffer.alloc((TAR_BLOCK_BYTES - (writtenBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

function headerOf(entry: TarInput): Buffer {
  const name = Buffer.from(entry.name);
  const linkName = Buffer.from(entry.linkName ?? '');
  const wholeSeconds = Math.floor(entry.mtimeSeconds);
  const records: Buffer[] = [];
  if (name.length > NAME_BYTES) records.push(paxRecord('path', name));
  if (linkName.length > NAME_BYTES) records.push(paxRecord('linkpath', linkName));
  if (entry.sizeBytes > MAX_OCTAL_SIZE) {
    records.push(paxRecord('size', Buffer.from(String(entry.sizeBytes))));
  }
  const octalSize = entry.sizeBytes > MAX_OCTAL_SIZE ? 0 : entry.sizeBytes;
  const header = block(name, TYPE_FLAGS[entry.type], octalSize, entry.mode, wholeSeconds, linkName);
  if (records.length === 0) return header;
  const pax = Buffer.concat(records);
  const padding = Buffer.alloc((TAR_BLOCK_BYTES - (pax.length % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
  const paxHeader = block(Buffer.from('pax'), 'x', pax.length, 0o644, wholeSeconds, Buffer.alloc(0));
  return Buffer.concat([paxHeader, pax, padding, header]);
}

function block(
  name: Buffer,
  typeFlag: string,
  sizeBytes: number,
  mode: number,
  mtimeSeconds: number,
  linkName: Buffer,
): Buffer {
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  name.copy(header, 0, 0, NAME_BYTES);
  octal(header, mode & 0o7777, 100, 8);
  octal(header, 0, 108, 8);
  octal(header, 0, 116, 8);
  octal(header, sizeBytes, 124, 12);
  octal(header, Math.min(Math.max(0, mtimeSeconds), MAX_OCTAL_SIZE), 136, 12);
  header.write(typeFlag, 156, 'latin1');
  linkName.copy(header, 157, 0, NAME_BYTES);
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return header;
}

function octal(header: Buffer, value: number, start: number, lengthBytes: number): void {
  header.write(`${value.toString(8).padStart(lengthBytes - 1, '0')}\u0000`, start, 'latin1');
}
