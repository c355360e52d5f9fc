import type { WispVerb } from '../globals.ts';

export const verb: WispVerb = {
  define: (command) => command,
  examples: [['wisp logout', "Forget this server's token; its sprites keep running"]],
  async run({ io, warn }) {
    const { apiTarget, tokenStore } = await import('../cloud/access.ts');
    const { url } = apiTarget(io.env);
    const removed = await tokenStore(io.env).remove(url);
    const variable = ['SPRITES_TOKEN', 'SPRITE_TOKEN'].find((name) => io.env[name]);
    if (variable !== undefined) await warn(`${variable} is still set, and is a token`);
    const text =
      removed === null
        ? `there was no login to ${url}`
        : `logged out of ${url}; the token itself is still valid: revoke it where it was created`;
    return { data: { api_url: url, was_logged_in: removed !== null, removed_from: removed }, text };
  },
};
