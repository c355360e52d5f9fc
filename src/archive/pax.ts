/** Extended headers of pax: records `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record. */
import { WreckitError } from '../errors.ts';

export type PaxRecords = ReadonlyMap<string, Buffer>;

/** Throws `SPRITE_SYNC_FAILED`. */
export function parsePax(bytes: Uint8Array): PaxRecords {
  const block = Buffer.from(bytes);
  const records = new Map<string, Buffer>();
  let at = 0;
  while (at < block.length && block[at] !== 0) {
    const space = block.indexOf(0x20, at);
    const lengthText = space === -1 ? '' : block.toString('latin1', at, space);
    const end = at + (/^[1-9]\d{0,8}$/.test(lengthText) ? Number(lengthText) : Number.NaN);
    const equals = block.indexOf(0x3d, space);
    const isWhole = end <= block.length && block[end - 1] === 0x0a && equals > space && equals < end;
    if (!isWhole) throw new WreckitError('SPRITE_SYNC_FAILED', 'tar stream: a pax header is malformed');
    records.set(block.toString('utf8', space + 1, equals), block.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function paxRecord(key: string, value: Uint8Array): Buffer {
  const tail = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let lengthBytes = tail.length + 1;
  while (String(lengthBytes).length + tail.length !== lengthBytes) {
    lengthBytes = String(lengthBytes).length + tail.length;
  }
  return Buffer.concat([Buffer.from(String(lengthBytes)), tail]);
}
