import { isObject, textOr } from '../../contract/json-value.ts';
import type { WreckitVerb } from '../globals.ts';
import { plannedCommands, withSprites } from './sprite-tools.ts';

const LOGOUT = { words: ['logout'], args: [] };

export const verb: WreckitVerb = {
  define: () => undefined,
  examples: [['wreckit sprite logout', "Forget the server's token; its sprites keep running"]],
  async run(context) {
    return await withSprites(context, async ({ runner, loaded }) => {
      if (context.globals.dryRun === true) return plannedCommands(runner, [LOGOUT]);
      const data = await runner.ask(LOGOUT, { signal: context.signal });
      if (loaded.spritesToken !== null) {
        await context.warn(`there is still a token: ${loaded.labelOf(loaded.spritesToken.origin)}`);
      }
      const { api_url: url, was_logged_in: was } = isObject(data) ? data : {};
      const server = textOr(url, 'the server');
      const text =
        was === true
          ? `logged out of ${server}; the token itself is still valid: revoke it where it was created`
          : `there was no login to ${server}`;
      return { data, text };
    });
  },
};
