/**
 * Hashes for names. Loading node:crypto takes longer than all of this engine's own modules, and every command
 * would pay for it, so it is loaded where it is needed.
 */

/** 64 hex digits; differs whenever the texts do, also for texts made to collide. */
export function sha256Hex(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** 16 hex digits (FNV-1a, 64 bit) to tell a few texts of our own apart; no defence against anybody. */
export function shortHash(text: string): string {
  let hash = FNV_OFFSET;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return hash.toString(16).padStart(16, '0');
}
