/** Names that go into paths, URLs and argv. Everything else is refused before any of those is made. */
import { WreckitError } from '../errors.ts';

const SPRITE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function isSpriteName(name: unknown): name is string {
  // JavaScript's `$` (without the m flag) matches at the very end only, so a trailing newline is refused.
  return typeof name === 'string' && SPRITE_NAME.test(name);
}

/** Returns `name`. Throws `SPRITE_NAME_INVALID`. */
export function assertSpriteName(name: unknown): string {
  if (isSpriteName(name)) return name;
  throw new WreckitError('SPRITE_NAME_INVALID', `sprite name: ${quote(name)} is not a valid name`);
}

const SESSION_ID = /^[a-z0-9]([a-z0-9-]{0,62})$/;

/** Session ids are made by an engine; the cloud's are decimal. Throws `SESSION_NOT_FOUND`. */
export function assertSessionId(sessionId: unknown): string {
  if (typeof sessionId === 'string' && SESSION_ID.test(sessionId)) return sessionId;
  throw new WreckitError('SESSION_NOT_FOUND', `session: ${quote(sessionId)} is not a session id`);
}

const SERVICE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
/** Where the API has a call of this name. */
const RESERVED_SERVICE_NAME = 'signal';

export function isServiceName(name: unknown): name is string {
  return typeof name === 'string' && SERVICE_NAME.test(name) && name !== RESERVED_SERVICE_NAME;
}

/** Returns `name`. Throws `USAGE`. */
export function assertServiceName(name: unknown): string {
  if (isServiceName(name)) return name;
  const what = name === RESERVED_SERVICE_NAME ? 'is a reserved name' : 'is not a valid name';
  throw new WreckitError('USAGE', `service name: ${quote(name)} ${what}`, {
    hint: 'use 1 to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
  });
}

/** A value for a message: quoted, control characters escaped, at most 80 characters. */
export function quote(value: unknown): string {
  const text = JSON.stringify(typeof value === 'string' ? value : String(value));
  return text.length <= 82 ? text : `${text.slice(0, 80)}…"`;
}
