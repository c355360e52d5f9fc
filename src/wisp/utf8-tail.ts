/** Where UTF-8 text may be cut without cutting a character. */

/** How many bytes at the end begin a character that is not whole yet: 0 to 3. What is no UTF-8 counts as whole. */
export function incompleteTailBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return neededBytes(byte) > back ? back : 0;
  }
  return 0;
}

/** How many bytes at the start continue a character that began before: 0 to 3. */
export function orphanHeadBytes(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count += 1;
  return count;
}

function neededBytes(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  if (lead >= 0xe0) return lead < 0xf0 ? 3 : 1;
  return lead >= 0xc2 ? 2 : 1;
}
