/** Shell programs kept in TypeScript, so that a bundle carries them. */

/** The text as written; "\${" stands for "${", which a template would take as its own. */
export function shellText(strings: TemplateStringsArray): string {
  return strings.raw.join('').replaceAll('\\${', '${').trim();
}
