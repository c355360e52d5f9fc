/** Attempts to get out of a sprite, for people. */
import type { Attempt } from '../contract/schemas.ts';
import { printable, truncate } from './text-width.ts';
import type { TextFormat } from './verb.ts';

const NAME_WIDTH = 17;
const USER_WIDTH = 6;
const MOST_SAID = 160;

const SIGNS: Readonly<Record<Attempt['status'], string>> = {
  refused: 'refused',
  succeeded: 'GOT OUT',
  unclear: 'unclear',
  skipped: 'skipped',
};

export function attemptLine({ name, does, user, status, said }: Attempt, format: TextFormat): string {
  const facts = `${SIGNS[status]}  ${name.padEnd(NAME_WIDTH)} ${user.padEnd(USER_WIDTH)} ${does}`;
  const why = status === 'refused' ? '' : `: ${truncate(printable(said.replaceAll('\n', ' ')), MOST_SAID)}`;
  const line = `${facts}${why}`;
  return format.color && status === 'succeeded' ? `\x1b[1;31m${line}\x1b[0m\n` : `${line}\n`;
}

export function attemptSummary(attempts: readonly Attempt[]): string {
  const refused = attempts.filter(({ status }) => status === 'refused').length;
  const skipped = attempts.length - refused;
  const rest = skipped === 0 ? '' : `, ${skipped} could not be tried here`;
  return `${refused} of ${attempts.length} attempts refused${rest}`;
}
