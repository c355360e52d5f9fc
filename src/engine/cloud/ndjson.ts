/** Answers that are one JSON document per line. */
import { isObject, tryParseObject } from '../../contract/json-value.ts';
import { WreckitError } from '../../errors.ts';

const MAX_LINE_BYTES = 1024 * 1024;

/** Empty lines are skipped. Throws `ENGINE_UNAVAILABLE` for what is no document, or endless. */
export async function* ndjson(
  bytes: AsyncIterable<Uint8Array>,
  doing: string,
): AsyncGenerator<Record<string, unknown>> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8');
      rest = rest.subarray(end + 1);
      if (line.trim() !== '') yield documentOf(line, doing);
    }
    if (rest.length > MAX_LINE_BYTES) throw nonsense(doing, `a line has more than ${MAX_LINE_BYTES} bytes`);
  }
  const line = rest.toString('utf8');
  if (line.trim() !== '') yield documentOf(line, doing);
}

function documentOf(line: string, doing: string): Record<string, unknown> {
  const value = tryParseObject(line);
  if (isObject(value)) return { ...value };
  throw nonsense(doing, 'a line of the answer is no JSON document');
}

function nonsense(doing: string, problem: string): WreckitError {
  return new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${problem}`, {
    hint: 'is SPRITES_API_URL the address of a server of the Sprites API?',
  });
}
