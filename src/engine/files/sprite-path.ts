/** Paths inside a sprite, as users give them, made absolute. What they mean is for the sprite's kernel to say. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { FileOwner } from '../engine.ts';
import { SPRITE_HOME } from '../sprite-home.ts';

const MAX_PATH_BYTES = 4095;

/**
 * Relative paths and `~/…` start at the sprite's home. `..` is left alone: behind a link it is not what the
 * text says. Throws `PATH_INVALID`.
 */
export function spritePath(path: string): string {
  if (path === '') throw invalid(path, 'is empty', 'ENOENT');
  if (path.includes('\0')) throw invalid(path, 'has a NUL in it', 'EINVAL');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw invalid(path, `is longer than ${MAX_PATH_BYTES} bytes`, 'ENAMETOOLONG');
  }
  const absolute = path.startsWith('/') ? path : `${SPRITE_HOME}/${path.replace(/^~(?=\/|$)/, '.')}`;
  // A slash at the end would follow a link.
  const trimmed = absolute.replace(/(?<=.)\/(\.?\/)*\.?$/, '');
  return trimmed === '' ? '/' : trimmed;
}

/** Octal text for `chmod`. Throws `USAGE`. */
export function fileMode(mode: string): string {
  if (/^[0-7]{3,4}$/.test(mode)) return mode;
  throw new WreckitError('USAGE', `mode: ${quote(mode)} is not an octal mode such as "0644"`);
}

const ACCOUNT_NAME = /^[a-z_][a-z0-9_.-]{0,31}\$?$/i;

/** `USER:GROUP` for `chown`, either part alone as well. Throws `USAGE`. */
export function fileOwner({ uid, gid }: FileOwner): string {
  const user = uid === undefined ? '' : account(uid);
  const group = gid === undefined ? '' : `:${account(gid)}`;
  if (user !== '' || group !== '') return user + group;
  throw new WreckitError('USAGE', 'owner: neither a user nor a group is given');
}

function account(id: number | string): string {
  const text = String(id);
  if (/^\d{1,10}$/.test(text) || ACCOUNT_NAME.test(text)) return text;
  throw new WreckitError('USAGE', `owner: ${quote(text)} is neither a number nor the name of an account`);
}

function invalid(path: string, problem: string, errno: string): WreckitError {
  return new WreckitError('PATH_INVALID', `path: ${quote(path)} ${problem}`, { details: { path, errno } });
}
