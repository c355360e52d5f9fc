import type { WispVerb } from '../globals.ts';

export const verb: WispVerb = {
  define: (command) => command,
  examples: [['wisp whoami', 'The server, the organization, and where the token comes from']],
  async run({ io, signal }) {
    const { cloudAccess } = await import('../cloud/access.ts');
    const { askAccount } = await import('../../engine/cloud/cloud-doctor.ts');
    const { ApiClient } = await import('../../engine/cloud/api-client.ts');
    const { target, credential } = await cloudAccess(io.env);
    const account = await askAccount(new ApiClient({ target, token: credential?.token ?? null }), { signal });
    const { organization, running, warm, cold } = account;
    const origin = credential?.origin ?? 'none is needed: a unix socket';
    const counts =
      running === null ? [] : [`sprites       ${running} running, ${warm ?? 0} warm, ${cold ?? 0} cold`];
    const lines = [
      `server        ${target.url}`,
      `organization  ${organization ?? 'the server does not say'}`,
      `token         ${origin}`,
      ...counts,
    ];
    const data = {
      api_url: target.url,
      organization,
      token_origin: credential?.origin ?? null,
      sprites: { running, warm, cold },
    };
    return { data, text: lines.join('\n') };
  },
};
