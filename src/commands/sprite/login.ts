import { readSecret } from '../../cli/read-secret.ts';
import { isObject, textOr } from '../../contract/json-value.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly tokenStdin?: boolean;
};

const NOTES = `
The server is SPRITES_API_URL, or https://api.sprites.dev when unset. The token is verified with one call; wisp
then stores it in the system keyring if secret-tool works, else in a file only you can read.
Logging in does not choose an engine: use --engine cloud, or "engine": "cloud" in the configuration.`;

/** wisp keeps tokens and is the only program that reads them: this one hands it over on stdin and forgets it. */
export const LOGIN = { words: ['login'], args: ['--token-stdin'] };

export const verb: WreckitVerb<Options> = {
  define: (command) =>
    command
      .option('--token-stdin', 'Read the token from stdin instead of prompting')
      .addHelpText('after', NOTES),
  examples: [
    ['wreckit sprite login', 'Prompt for a token, verify it and store it'],
    ['wreckit sprite login --token-stdin < token.txt', 'The same, for scripts'],
    ['SPRITES_API_URL=http://127.0.0.1:8080 wreckit sprite login', 'Log in to your own server (wisp serve)'],
  ],
  async run(context) {
    const { io, options, globals, signal } = context;
    return await withSprites(context, async ({ runner }) => {
      if (globals.dryRun === true) return plannedCommands(runner, [LOGIN]);
      const token = await readSecret({
        io,
        fromStdin: options.tokenStdin === true,
        mayAsk: globals.input,
        question: `token for ${io.env.SPRITES_API_URL || 'https://api.sprites.dev'} (it is not shown): `,
        signal,
      });
      if (token === '') {
        throw new WreckitError('AUTH_REJECTED', 'login: no token was given', {
          hint: 'copy the whole token, as its organization shows it: org/id/token-id/secret',
        });
      }
      const data = await runner.ask(LOGIN, { stdin: `${token}\n`, signal });
      return { data, text: textOfLogin(data) };
    });
  },
};

function textOfLogin(data: unknown): string {
  const { api_url: url, organization, stored_in: store } = isObject(data) ? data : {};
  const who = typeof organization === 'string' ? ` (organization ${organization})` : '';
  const where =
    store === 'keyring' ? 'in the system keyring' : "in wisp's state directory, readable only by you";
  return `logged in to ${textOr(url, 'the server')}${who}; the token is stored ${where}\nuse it: wreckit sprite list --engine cloud`;
}
