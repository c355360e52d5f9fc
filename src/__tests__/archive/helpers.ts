import fs from 'node:fs';
import { checksumOf } from '../../archive/tar-header.ts';
import { type TarInput, writeTar } from '../../archive/tar-writer.ts';

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** In chunks of `chunkBytes`, so that headers and names fall across borders. */
export async function* chunked(bytes: Uint8Array, chunkBytes = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export function entry(name: string | Buffer, over: Partial<TarInput> = {}): TarInput {
  return { name, type: 'file', mode: 0o644, mtimeSeconds: 1_700_000_000, sizeBytes: 0, ...over };
}

export function file(name: string | Buffer, text: string, over: Partial<TarInput> = {}): TarInput {
  const content = Buffer.from(text);
  return entry(name, { sizeBytes: content.length, content: [content], ...over });
}

export function directory(name: string, mode = 0o755): TarInput {
  return entry(name, { type: 'directory', mode });
}

export function symlink(name: string, linkName: string | Buffer): TarInput {
  return entry(name, { type: 'symlink', mode: 0o777, linkName });
}

export function hardlink(name: string, linkName: string): TarInput {
  return entry(name, { type: 'hardlink', linkName });
}

export async function tarOf(...entries: TarInput[]): Promise<Buffer> {
  return collect(writeTar(entries));
}

/** `tar` with the type byte of its first header replaced and the checksum made right again. */
export function withTypeFlag(tar: Buffer, typeFlag: string): Buffer {
  const changed = Buffer.from(tar);
  changed.write(typeFlag, 156, 'latin1');
  changed.write(`${checksumOf(changed.subarray(0, 512)).toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return changed;
}

/** Every path below `dir` with what it is, sorted, bytes as latin1: `a/b 0644 "text"`, `d/ 0755`, `l -> t`. */
export function describeTree(dir: string): string[] {
  const lines: string[] = [];
  const walk = (at: Buffer, shown: string): void => {
    for (const name of fs.readdirSync(at, { encoding: 'buffer' }).sort(Buffer.compare)) {
      const child = Buffer.concat([at, Buffer.from('/'), name]);
      const stat = fs.lstatSync(child);
      const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
      const label = `${shown}${name.toString('latin1')}`;
      if (stat.isSymbolicLink()) lines.push(`${label} -> ${fs.readlinkSync(child)}`);
      else if (stat.isDirectory()) {
        lines.push(`${label}/ ${mode}`);
        walk(child, `${label}/`);
      } else lines.push(`${label} ${mode} ${JSON.stringify(fs.readFileSync(child, 'latin1'))}`);
    }
  };
  walk(Buffer.from(dir), '');
  return lines;
}
