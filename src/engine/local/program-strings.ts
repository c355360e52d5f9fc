/** What a program can be handed: the strings of its arguments and of its environment. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

/** The longest single argument or variable that Linux takes, its end included (MAX_ARG_STRLEN). */
const MAX_STRING_BYTES = 128 * 1024;
/** The first process inside is a shell, which loses every other name, and some of its own. */
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHELL_NAMES = new Set(['IFS', 'OPTIND', 'PPID']);

/** Returns `env`. Throws `USAGE` for names and values that a command inside could not be given. */
export function checkedEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(env)) {
    if (!ENV_NAME.test(name) || SHELL_NAMES.has(name)) {
      throw new WreckitError(
        'USAGE',
        `environment: a command can't be given a variable named ${quote(name)}`,
        {
          hint: 'use letters, digits and "_", and none of the names that belong to the shell',
        },
      );
    }
    assertString(`environment: the value of ${name}`, `${name}=${value}`);
  }
  return env;
}

/** Throws `USAGE` for what the kernel can't hand to a program. The message never has the text: it may be a secret. */
export function assertString(what: string, text: string): void {
  if (text.includes('\0'))
    throw new WreckitError('USAGE', `${what} has a NUL character, which none can have`);
  const sizeBytes = Buffer.byteLength(text) + 1;
  if (sizeBytes <= MAX_STRING_BYTES) return;
  throw new WreckitError('USAGE', `${what} has ${sizeBytes} bytes, and Linux takes ${MAX_STRING_BYTES}`, {
    hint: 'hand it over on stdin or in a file of the sprite',
  });
}
