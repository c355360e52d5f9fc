/** Bytes in a JSON document: as text where they are UTF-8, else as base64, and which of the two it is. */
export interface EncodedBytes {
  readonly text: string;
  readonly encoding: 'utf8' | 'base64';
}

export function textOrBase64(bytes: Uint8Array): EncodedBytes {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, encoding: 'utf8' };
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    return { text: Buffer.from(bytes).toString('base64'), encoding: 'base64' };
  }
}
