/** One member of a tar archive, as `tar-reader.ts` yields it and `tar-writer.ts` takes it. */

export const TAR_BLOCK_BYTES = 512;

/** `other`: a type this program has no use for (devices, FIFOs, sparse files, volume labels). */
export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

export interface TarMember {
  /** As in the archive, byte for byte: names need not be UTF-8, and nothing about them is verified. */
  readonly name: Buffer;
  readonly type: TarType;
  /** Type byte of the header, for messages about `other`. */
  readonly typeFlag: string;
  /** Permission bits with setuid, setgid and sticky: the low twelve. */
  readonly mode: number;
  /** Seconds since 1970, with fraction. */
  readonly mtimeSeconds: number;
  /** Bytes of content; 0 for everything but `file`. */
  readonly sizeBytes: number;
  /** Target of a symlink; for a hardlink the name of an earlier member. Empty otherwise. */
  readonly linkName: Buffer;
}

/** A member's name for a message: quoted, control characters escaped, at most about 120 characters. */
export function printableName(name: Uint8Array): string {
  const text = JSON.stringify(Buffer.from(name).toString('utf8'));
  return text.length <= 122 ? text : `${text.slice(0, 120)}…"`;
}
