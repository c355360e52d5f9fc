/**
 * Text that carries other programs' words (a sprite's file names, error texts, link targets) on its way to
 * somebody's terminal: what would steer the terminal, or hide or turn around what stands there, is shown as an
 * escape instead.
 */

const HARMLESS = /^[\t\n\x20-\x7e]*$/;
/** Control and format characters (those that turn the direction of text around among them), but for ends of lines and tabs. */
const STEERING = /(?![\t\n\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** The styles this program itself uses; another one could make what follows invisible. */
const OWN_STYLE_OR_STEERING = /\x1b\[(?:0|1|22|1;31)m|(?![\t\n\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A message, or content: nothing in it is ours but the words. */
export function shownText(text: string): string {
  return HARMLESS.test(text) ? text : text.replace(STEERING, escaped);
}

/** A message after its `error: `: further lines are indented, so that none of them passes for a line of ours. */
export function shownMessage(text: string): string {
  return shownText(text).replaceAll('\n', '\n  ');
}

/** What a verb answers to people. */
export function shownAnswer(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text.replace(OWN_STYLE_OR_STEERING, (found) => (found.length > 2 ? found : escaped(found)));
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
