/** Is the server there, does it take the token, is it one of the API: with one call, which changes nothing. */
import { isObject, numberOr, textOr } from '../../contract/json-value.ts';
import type { Check } from '../../contract/schemas.ts';
import { toWreckitError } from '../../errors.ts';
import type { Waiting } from '../engine.ts';
import { type ApiClient, apiPath } from './api-client.ts';

const TIMEOUT_MS = 15_000;

export interface AccountFacts {
  readonly organization: string | null;
  readonly running: number | null;
  readonly warm: number | null;
  readonly cold: number | null;
}

/** Throws `AUTH_REJECTED`, `ENGINE_UNAVAILABLE`, … */
export async function askAccount(client: ApiClient, { signal }: Waiting = {}): Promise<AccountFacts> {
  const answer = await client.json({
    method: 'GET',
    route: apiPath(['sprites'], { max_results: 1 }),
    doing: 'sprites API',
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  const body = isObject(answer) ? answer : {};
  const org = isObject(body.org) ? body.org : {};
  const first = Array.isArray(body.sprites) && isObject(body.sprites[0]) ? body.sprites[0] : {};
  const count = (key: string): number | null => numberOr(body[key], numberOr(org[key], null));
  return {
    organization: textOr(
      body.name,
      textOr(org.name, textOr(first.organization, textOr(first.org_slug, null))),
    ),
    running: count('running'),
    warm: count('warm'),
    cold: count('cold'),
  };
}

export async function cloudChecks(client: ApiClient, waiting: Waiting): Promise<Check[]> {
  const { url, isSecure, isLocal } = client.target;
  const proxied = isLocal ? undefined : (process.env.HTTPS_PROXY ?? process.env.https_proxy);
  const transport: Check = {
    name: 'transport',
    status: isSecure || isLocal ? 'ok' : 'warn',
    message: isSecure
      ? 'TLS'
      : isLocal
        ? 'stays on this machine'
        : 'the token goes over the network unencrypted',
    fix: isSecure || isLocal ? null : 'use an https:// address in SPRITES_API_URL',
  };
  const proxy: Check[] =
    proxied === undefined
      ? []
      : [
          {
            name: 'proxy',
            status: 'warn',
            message: 'HTTPS_PROXY is set and is not used',
            fix: 'let this machine reach the server directly',
          },
        ];
  try {
    const { organization, running, warm, cold } = await askAccount(client, waiting);
    const who = organization === null ? '' : `, organization ${organization}`;
    const counts = running === null ? '' : `, ${running} running, ${warm ?? 0} warm, ${cold ?? 0} cold`;
    return [
      { name: 'api', status: 'ok', message: `${url} answers and takes the token${who}${counts}`, fix: null },
      transport,
      ...proxy,
    ];
  } catch (thrown) {
    waiting.signal?.throwIfAborted();
    const { message, hint } = toWreckitError(thrown);
    return [{ name: 'api', status: 'fail', message, fix: hint }, transport, ...proxy];
  }
}
