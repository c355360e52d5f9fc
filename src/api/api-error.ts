/**
 * What was thrown, as an answer of the Sprites API. Two shapes: `{error: code, message, …}` everywhere, and
 * `{error: message, code: errno, path}` below `/fs`. Our own code, hint and details ride along in both, so that
 * a client of ours loses nothing on the way.
 */
import { httpStatusOf } from '../contract/error-codes.ts';
import { toWreckitError, type WreckitError } from '../errors.ts';
import { HttpRefusal } from './http-refusal.ts';

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The codes that clients of the API know by another name. */
const API_CODES: Readonly<Record<string, string>> = {
  SPRITE_LIMIT: 'concurrent_sprite_limit_exceeded',
  RATE_LIMITED: 'sprite_creation_rate_limited',
  UNSUPPORTED: 'unsupported',
};

const STATUS_OF_ERRNO: Readonly<Record<string, number>> = {
  ENOENT: 404,
  EACCES: 403,
  EPERM: 403,
  EROFS: 403,
  EEXIST: 409,
  ENOTEMPTY: 409,
  EBUSY: 409,
  ETXTBSY: 409,
  ENOSPC: 507,
  EDQUOT: 507,
  EFBIG: 413,
  EIO: 500,
};

export function errorAnswer(thrown: unknown): ErrorAnswer {
  if (thrown instanceof HttpRefusal) return refusalAnswer(thrown);
  const error = toWreckitError(thrown);
  const status = statusOf(error);
  return {
    status,
    headers: retryHeaders(error),
    body: { error: API_CODES[error.code] ?? error.code.toLowerCase(), ...own(error) },
  };
}

/** The shape of the file routes; `path` as the caller gave it in the query, else what the fault is about. */
export function fileErrorAnswer(thrown: unknown, path: string): ErrorAnswer {
  if (thrown instanceof HttpRefusal) {
    const answer = refusalAnswer(thrown);
    return { ...answer, body: { error: thrown.message, code: 'EINVAL', path } };
  }
  const error = toWreckitError(thrown);
  const { errno, path: at } = error.details;
  const code = typeof errno === 'string' ? errno : errnoLike(error);
  return {
    status: statusOf(error),
    headers: retryHeaders(error),
    body: {
      ...own(error),
      error: error.message,
      code,
      path: path === '' && typeof at === 'string' ? at : path,
    },
  };
}

function refusalAnswer({ status, error, message, headers }: HttpRefusal): ErrorAnswer {
  return { status, headers, body: { error, message } };
}

function own({ code, message, hint, retryable, details }: WreckitError): Record<string, unknown> {
  return { code, message, hint, retryable, details };
}

function statusOf(error: WreckitError): number {
  const { errno } = error.details;
  if (error.code !== 'PATH_INVALID' || typeof errno !== 'string') return httpStatusOf(error.code);
  return STATUS_OF_ERRNO[errno] ?? 400;
}

/** Clients look for an errno; a sprite that isn't there is told from a file that isn't by its code. */
function errnoLike({ code }: WreckitError): string {
  return code === 'USAGE' || code === 'PATH_INVALID' ? 'EINVAL' : code;
}

function retryHeaders({ details }: WreckitError): Record<string, string> {
  const seconds = details.retry_after_seconds;
  return typeof seconds === 'number' ? { 'Retry-After': String(Math.ceil(seconds)) } : {};
}
