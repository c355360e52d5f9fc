/** Bounds what a tool hands to a model. What is left out is marked, never silent. */

export interface CappedText {
  readonly text: string;
  /** Characters left out of the middle. */
  readonly omitted: number;
}

/** Head and tail of a long text, with a marker between them. */
export function capText(text: string, maxChars: number): CappedText {
  if (text.length <= maxChars) return { text, omitted: 0 };
  const headEnd = wholeEnd(text, Math.ceil(maxChars / 2));
  const tailStart = wholeEnd(text, text.length - Math.floor(maxChars / 2));
  const omitted = tailStart - headEnd;
  return {
    text: `${text.slice(0, headEnd)}\n[… ${omitted} characters left out …]\n${text.slice(tailStart)}`,
    omitted,
  };
}

/** Never between the halves of a surrogate pair. */
function wholeEnd(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}

/** Every text in `value` capped; for answers whose size nobody else has bounded. */
export function capDeep(value: unknown, maxChars: number): unknown {
  if (typeof value === 'string') return capText(value, maxChars).text;
  if (Array.isArray(value)) return value.map((item) => capDeep(item, maxChars));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, capDeep(item, maxChars)]));
}
