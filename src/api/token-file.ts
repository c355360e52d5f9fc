/** The token that TCP clients must send: a file of mode 0600 that is made on first use. */
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { quote } from '../contract/names.ts';
import { errnoOf, WreckitError } from '../errors.ts';

export interface TokenFile {
  readonly path: string;
  readonly token: string;
  /** True: there was none, it was made now. */
  readonly isNew: boolean;
}

const MIN_TOKEN_CHARS = 16;
const MAX_TOKEN_BYTES = 4096;

/** Reads the token, or makes one. Throws `USAGE` for a file others can read, or that holds no token. */
export function ensureTokenFile(path: string): TokenFile {
  const existing = readToken(path);
  if (existing !== null) return { path, token: existing, isNew: false };
  const token = newToken();
  const staged = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(staged, `${token}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(staged, path);
    return { path, token, isNew: true };
  } catch (error) {
    // Somebody else was faster: theirs it is.
    const theirs = errnoOf(error) === 'EEXIST' ? readToken(path) : null;
    if (theirs === null) throw error;
    return { path, token: theirs, isNew: false };
  } finally {
    rmSync(staged, { force: true });
  }
}

/** The form tokens of the real service have: org/org-id/token-id/secret. */
function newToken(): string {
  return `local/wisp/${randomBytes(6).toString('hex')}/${randomBytes(32).toString('base64url')}`;
}

function readToken(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  const refuse = (problem: string, hint?: string): WreckitError =>
    new WreckitError('USAGE', `token file ${quote(path)}: ${problem}`, { hint });
  if (!stats.isFile()) throw refuse('it is not a regular file');
  if ((stats.mode & 0o077) !== 0) throw refuse('others can read it', `chmod 600 ${path}`);
  const isForeign = process.getuid !== undefined && stats.uid !== process.getuid();
  if (isForeign) throw refuse('it belongs to somebody else');
  if (stats.size > MAX_TOKEN_BYTES) throw refuse(`it is longer than ${MAX_TOKEN_BYTES} bytes`);
  const token = readFileSync(path, 'utf8').trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= MIN_TOKEN_CHARS) return token;
  throw refuse(`it holds no token: one line of at least ${MIN_TOKEN_CHARS} characters without spaces`);
}
