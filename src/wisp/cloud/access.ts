/** Which server the cloud engine asks, and as whom: from the environment, else from `wisp login`. */
import {
  type ApiTarget,
  assertMaySendToken,
  DEFAULT_API_URL,
  parseApiUrl,
} from '../../engine/cloud/api-target.ts';
import { resolveStateDirs } from '../../engine/local/state-dirs.ts';
import { WreckitError } from '../../errors.ts';
import { TokenStore } from './token-store.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The names a token goes by; the first one wins, and each over a login. */
const TOKEN_VARIABLES = ['SPRITES_TOKEN', 'SPRITE_TOKEN'] as const;
const MIN_TOKEN_CHARS = 8;

export interface Credential {
  readonly token: string;
  /** `SPRITES_TOKEN`, `login (file)`, `login (keyring)`. */
  readonly origin: string;
}

/** Throws `CONFIG_INVALID`. */
export function apiTarget(env: Env): ApiTarget {
  return parseApiUrl(env.SPRITES_API_URL || DEFAULT_API_URL);
}

export function tokenStore(env: Env): TokenStore {
  return new TokenStore(resolveStateDirs(env).home, env);
}

/** Null: there is none. Throws `AUTH_REJECTED` for one that can't be a token. */
export async function findCredential(env: Env, { url }: ApiTarget): Promise<Credential | null> {
  const variable = TOKEN_VARIABLES.find((name) => env[name]);
  if (variable !== undefined) return { token: assertToken(env[variable] ?? '', variable), origin: variable };
  const stored = await tokenStore(env).find(url);
  return stored === null
    ? null
    : { token: assertToken(stored.token, 'login'), origin: `login (${stored.store})` };
}

export interface Access {
  readonly target: ApiTarget;
  readonly credential: Credential | null;
}

/** Throws `AUTH_MISSING`, `CONFIG_INVALID`, `POLICY_DENIED` (a token in the clear over a network). */
export async function cloudAccess(env: Env): Promise<Access> {
  const target = apiTarget(env);
  const credential = await findCredential(env, target);
  // The file permissions of a unix socket are its door.
  if (target.socketPath !== null) return { target, credential: null };
  if (credential === null) {
    throw new WreckitError('AUTH_MISSING', `sprites API: there is no token for ${target.url}`, {
      details: { api_url: target.url },
    });
  }
  assertMaySend(env, target);
  return { target, credential };
}

export function assertMaySend(env: Env, target: ApiTarget): void {
  assertMaySendToken(target, env.WISP_ALLOW_HTTP === '1');
}

/** It goes into a header. The value is never repeated. Throws `AUTH_REJECTED`. */
export function assertToken(text: string, where: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= MIN_TOKEN_CHARS && token.length <= 4096) return token;
  const problem = token === '' ? 'is empty' : 'is not a token: one word of 8 to 4096 plain characters';
  throw new WreckitError('AUTH_REJECTED', `token: what ${where} holds ${problem}`, {
    hint: 'copy the whole token, as its organization shows it: org/id/token-id/secret',
  });
}
