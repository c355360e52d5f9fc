/** How many terminal cells a text takes, and cutting a text to a number of cells. */

/** East Asian wide and fullwidth, and emoji, which terminals draw two cells wide. */
const WIDE =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u23e9-\u23ec\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18fff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const ONLY_ASCII = /^[\x20-\x7e]*$/;

/** Control characters shown as escapes: text of others must not steer the terminal. */
export function printable(text: string): string {
  if (ONLY_ASCII.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\u200d'
      ? character
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

export function textWidth(text: string): number {
  if (ONLY_ASCII.test(text)) return text.length;
  let width = 0;
  for (const cluster of clusters(text)) width += clusterWidth(cluster);
  return width;
}

/** At most `width` cells of `text`; what was cut is marked by a last `…`. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let used = 0;
  for (const cluster of clusters(text)) {
    const cells = clusterWidth(cluster);
    if (used + cells > width - 1) break;
    kept += cluster;
    used += cells;
  }
  return `${kept}…`;
}

function* clusters(text: string): Generator<string> {
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text))
    yield segment;
}

function clusterWidth(cluster: string): number {
  if (WIDE.test(cluster)) return 2;
  return /^[\p{M}\p{Cf}]+$/u.test(cluster) ? 0 : 1;
}
