/** Where a server of the Sprites API is, from one text: `https://host`, `http://127.0.0.1:8080`, `unix:/path`. */
import { isIP } from 'node:net';
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';

export const DEFAULT_API_URL = 'https://api.sprites.dev';

export interface ApiTarget {
  /** As shown to people and as key of what is kept for it; without a slash at its end. */
  readonly url: string;
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  /** Before `/v1`; no slash at its end. */
  readonly basePath: string;
  /** A unix socket instead of host and port. */
  readonly socketPath: string | null;
  /** Nothing that is sent leaves this machine. */
  readonly isLocal: boolean;
}

const HINT = 'give a URL such as https://api.sprites.dev, http://127.0.0.1:8080 or unix:/run/wisp/api.sock';

/** Throws `CONFIG_INVALID`. */
export function parseApiUrl(text: string, name = 'SPRITES_API_URL'): ApiTarget {
  if (text.startsWith('unix:')) return socketTarget(text.replace(/^unix:(\/\/(?=\/))?/, ''), text, name);
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  if (!isWeb || url.username !== '' || url.search !== '' || url.hash !== '') {
    // It may hold a password: not repeated then.
    const shown =
      url !== null && url.username !== '' ? 'the value, which has a user name in it,' : quote(text);
    throw new WreckitError('CONFIG_INVALID', `${name}: ${shown} is not the URL of a server`, { hint: HINT });
  }
  const isSecure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const basePath = url.pathname.replace(/\/+$/, '');
  return {
    url: url.origin + basePath,
    isSecure,
    host,
    port: Number(url.port) || (isSecure ? 443 : 80),
    basePath,
    socketPath: null,
    isLocal: isLoopback(host),
  };
}

function socketTarget(path: string, text: string, name: string): ApiTarget {
  if (!path.startsWith('/') || path.includes('\0') || path.includes(':')) {
    throw new WreckitError(
      'CONFIG_INVALID',
      `${name}: ${quote(text)} names no unix socket by its absolute path`,
      {
        hint: HINT,
      },
    );
  }
  const where = { host: 'localhost', port: 0, basePath: '', socketPath: path };
  return { url: `unix:${path}`, isSecure: false, isLocal: true, ...where };
}

/**
 * A token is not sent in the clear over a network. `isAllowed`: the user has said that this one is safe.
 * Throws `POLICY_DENIED`.
 */
export function assertMaySendToken({ url, isSecure, isLocal }: ApiTarget, isAllowed: boolean): void {
  if (isSecure || isLocal || isAllowed) return;
  throw new WreckitError('POLICY_DENIED', `sprites API: the token would go to ${url} unencrypted`, {
    hint: 'use https://, or a tunnel that ends on this machine; where the network itself is safe: export WISP_ALLOW_HTTP=1',
    details: { api_url: url },
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
