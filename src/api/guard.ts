/**
 * Who may ask at all. Runs before routing and before a body is read, for plain requests and for upgrades.
 *
 *   foreign Host (TCP)   → 403: a web page that had its name re-bound to this machine
 *   Origin, Sec-Fetch-Site of another site → 403: a browser; no page is a client of this API
 *   no or wrong token (TCP) → 401, on every path
 *
 * On the unix socket the file's permissions are the door: no token, any Host.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { quote } from '../contract/names.ts';
import { HttpRefusal } from './http-refusal.ts';

export interface Door {
  /** Null: none is asked for. */
  readonly token: string | null;
  /** Names and addresses by which clients may call this server, without ports; null: any. */
  readonly hosts: ReadonlySet<string> | null;
}

/** Throws `HttpRefusal`. `rawHeaders` shows what a header that was sent twice hides. */
export function assertMayAsk(headers: IncomingHttpHeaders, rawHeaders: readonly string[], door: Door): void {
  assertHost(headers.host, rawHeaders, door.hosts);
  assertNoBrowser(headers);
  if (door.token === null) return;
  const sent = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (sent !== undefined && isSameText(sent, door.token)) return;
  const message =
    sent === undefined ? 'this server wants a token: Authorization: Bearer …' : 'the token is not valid';
  throw new HttpRefusal(401, 'unauthorized', message, { 'WWW-Authenticate': 'Bearer realm="wisp"' });
}

function assertHost(
  host: string | undefined,
  rawHeaders: readonly string[],
  hosts: ReadonlySet<string> | null,
): void {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (count > 1) throw new HttpRefusal(400, 'bad_request', 'request: it has more than one Host');
  if (hosts === null || hosts.has(hostName(host ?? ''))) return;
  throw new HttpRefusal(403, 'foreign_host', `host: ${quote(host ?? '')} is not a name of this server`);
}

/** Without port and without the brackets of an IPv6 address; lower case. */
export function hostName(host: string): string {
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.exec(host)?.[1];
  return (bracketed ?? host.replace(/:\d{1,5}$/, '')).toLowerCase();
}

function assertNoBrowser(headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  const isForeign = site !== undefined && site !== 'none';
  if (headers.origin === undefined && !isForeign) return;
  throw new HttpRefusal(
    403,
    'foreign_origin',
    `origin: ${quote(headers.origin ?? String(site))} may not ask here`,
  );
}

/** Takes as long for a near miss as for anything else. */
function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
