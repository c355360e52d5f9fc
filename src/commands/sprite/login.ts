import { readSecret } from '../../cli/read-secret.ts';
import { isObject, textOr } from '../../contract/json-value.ts';
import { WreckitError } from '../../errors.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

type Options = {
  readonly tokenStdin?: boolean;
};

const NOTES = `
The server is the one of SPRITES_API_URL, https://api.sprites.dev when that is not set. The token is tried with
one call before it is kept; wisp keeps it, in the system keyring where secret-tool works, else in a file only
you can read. A login chooses no engine: sprites are made there with --engine cloud, or "engine": "cloud" in the
configuration.`;

/** wisp keeps tokens and is the only one who reads them: this program hands one over on stdin and forgets it. */
export const LOGIN = { words: ['login'], args: ['--token-stdin'] };

export const verb: WreckitVerb<Options> = {
  define: (command) =>
    command
      .option('--token-stdin', 'the token comes on stdin; without it you are asked for it')
      .addHelpText('after', NOTES),
  examples: [
    ['wreckit sprite login', 'asks for a token, shows nothing of it, tries it and keeps it'],
    ['wreckit sprite login --token-stdin < token.txt', 'the same for a script'],
    ['SPRITES_API_URL=http://127.0.0.1:8080 wreckit sprite login', 'at a server of your own: wisp serve'],
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
  const where = store === 'keyring' ? 'in the system keyring' : "in wisp's state directory, for you alone";
  return `logged in to ${textOr(url, 'the server')}${who}; the token is kept ${where}\nuse it: wreckit sprite list --engine cloud`;
}
