import { readSecret } from '../../cli/read-secret.ts';
import { calledAs } from '../called-as.ts';
import type { WispVerb } from '../globals.ts';

type Options = {
  readonly tokenStdin?: boolean;
};

const NOTES = `
The server is SPRITES_API_URL, or https://api.sprites.dev when unset. The token is verified with one call, then
stored in the system keyring if secret-tool works, else in a file only you can read. There is no flag for the
token itself: other users could see it.`;

export const verb: WispVerb<Options> = {
  define: (command) =>
    command
      .option('--token-stdin', 'Read the token from stdin instead of prompting')
      .addHelpText('after', NOTES),
  examples: [
    ['wisp login', 'Prompt for a token, verify it and store it'],
    ['wisp login --token-stdin < token.txt', 'The same, for scripts'],
  ],
  async run({ io, options, globals, signal, warn }) {
    const { apiTarget, assertMaySend, assertToken, tokenStore } = await import('../cloud/access.ts');
    const { askAccount } = await import('../../engine/cloud/cloud-doctor.ts');
    const { ApiClient } = await import('../../engine/cloud/api-client.ts');
    const target = apiTarget(io.env);
    assertMaySend(io.env, target);
    const question = `token for ${target.url} (it is not shown): `;
    const request = { io, fromStdin: options.tokenStdin === true, mayAsk: globals.input, question, signal };
    const token = assertToken(await readSecret(request), 'what was given');
    const account = await askAccount(new ApiClient({ target, token }), { signal });
    const { organization } = account;
    const store = await tokenStore(io.env).save(target.url, token, organization);
    const variable = ['SPRITES_TOKEN', 'SPRITE_TOKEN'].find((name) => io.env[name]);
    if (variable !== undefined) await warn(`${variable} is set and is used instead of this login`);
    const where = store === 'keyring' ? 'the system keyring' : tokenStore(io.env).path;
    const who = organization === null ? '' : ` (organization ${organization})`;
    const lines = [
      `logged in to ${target.url}${who}; the token is in ${where}`,
      `use it: ${calledAs(io.env)} list --engine cloud`,
    ];
    return { data: { api_url: target.url, organization, stored_in: store }, text: lines.join('\n') };
  },
};
