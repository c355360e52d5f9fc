/** What the user types to get here: a program that runs wisp for them says so in WISP_CALLED_AS. */
export function calledAs(env: Readonly<Record<string, string | undefined>>): string {
  const name = env.WISP_CALLED_AS ?? '';
  return /^[A-Za-z][\w. -]{0,60}$/.test(name) ? name : 'wisp';
}
