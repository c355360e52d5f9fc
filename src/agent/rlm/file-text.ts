/** Whether a file's content can be shown as text. */
const LOOK_AT_BYTES = 8192;

/** As git tells: a NUL among the first bytes. */
export function looksBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, LOOK_AT_BYTES).includes(0);
}
