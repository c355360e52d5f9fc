/** Passes a tar stream on and makes sure of its end: tar itself takes one cut between two members for whole. */
import { WreckitError } from '../../errors.ts';

const BLOCK_BYTES = 512;

/** Throws `SPRITE_SYNC_FAILED` after the last chunk when that did not end with a block of zeros. */
export async function* assertWholeTar(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let totalBytes = 0;
  let trailingZeros = 0;
  for await (const chunk of tar) {
    totalBytes += chunk.length;
    const zeros = zerosAtEnd(chunk);
    trailingZeros = zeros === chunk.length ? trailingZeros + zeros : zeros;
    yield chunk;
  }
  if (trailingZeros >= BLOCK_BYTES && totalBytes % BLOCK_BYTES === 0) return;
  throw new WreckitError('SPRITE_SYNC_FAILED', 'tar stream: ends before its end-of-archive mark', {
    hint: 'what came before was unpacked; send an uncompressed tar archive, whole',
  });
}

/** At most one block's worth is looked at: more does not matter. */
function zerosAtEnd(chunk: Uint8Array): number {
  const lowest = Math.max(0, chunk.length - BLOCK_BYTES);
  let at = chunk.length;
  while (at > lowest && chunk[at - 1] === 0) at -= 1;
  return chunk.length - at;
}
