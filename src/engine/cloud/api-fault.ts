/**
 * What a server answered instead of what was asked for, as one error of ours. A server of this package says
 * which of our codes it is; of any other the status decides, and what the call was about.
 */
import { type ErrorCode, isErrorCode } from '../../contract/error-codes.ts';
import { isObject, type JsonObject, numberOr, textOr, tryParseObject } from '../../contract/json-value.ts';
import { printable } from '../../contract/printable.ts';
import { errorOf, type WreckitError } from '../../errors.ts';

export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Its beginning, at most. */
  readonly body: Uint8Array;
}

export interface CallFacts {
  /** What was attempted: `start sprite "demo"`. */
  readonly doing: string;
  /** What a 404 means for this call; a sprite that isn't there when absent. */
  readonly missing?: ErrorCode | undefined;
  /** What a failure of the server is called; `ENGINE_UNAVAILABLE` when absent. */
  readonly failed?: ErrorCode | undefined;
  /** Of a file: errors of the file routes carry an errno. */
  readonly path?: string | undefined;
}

const MAX_MESSAGE_CHARS = 1000;
const LIMIT_CODES = ['concurrent_sprite_limit_exceeded'];

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'USAGE',
  401: 'AUTH_REJECTED',
  403: 'AUTH_REJECTED',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  410: 'SESSION_LOST',
  413: 'USAGE',
  414: 'USAGE',
  422: 'USAGE',
  429: 'RATE_LIMITED',
  431: 'USAGE',
  501: 'UNSUPPORTED',
  504: 'TIMEOUT',
};

/** The error an answer of status 400 or above stands for. */
export function apiFault(refusal: Refusal, call: CallFacts): WreckitError {
  const { status } = refusal;
  const body = bodyOf(refusal.body);
  const code = codeOf(status, body, call);
  const details = { http_status: status, ...limitDetails(refusal, body), ...ownDetails(body, call) };
  const message = messageOf(status, body, refusal.body);
  // A server of this package says what was attempted in the message itself.
  const isWhole = typeof body.retryable === 'boolean' && typeof body.message === 'string';
  return errorOf(code, isWhole ? message : `${call.doing}: ${message}`, {
    hint: hintOf(code, status, body, details),
    details,
    // As many sprites as there may be: that does not pass by itself.
    retryable: [429, 502, 503, 504].includes(status) && code !== 'SPRITE_LIMIT',
  });
}

/** Seconds until another try makes sense, where the server says so. */
export function retryAfterSeconds({ headers, body }: Refusal): number | null {
  const header = Number(firstOf(headers['retry-after']));
  if (Number.isFinite(header) && header >= 0 && firstOf(headers['retry-after']) !== '') return header;
  const date = Date.parse(firstOf(headers['retry-after']));
  if (!Number.isNaN(date)) return Math.max(0, Math.ceil((date - Date.now()) / 1000));
  return numberOr(bodyOf(body).retry_after_seconds, null);
}

function codeOf(status: number, body: JsonObject, { missing, failed, path }: CallFacts): ErrorCode {
  // 401 is about the token whatever else is said.
  if (status === 401) return 'AUTH_REJECTED';
  if (isErrorCode(body.code)) return body.code;
  if (path !== undefined && typeof body.code === 'string' && /^E[A-Z0-9]+$/.test(body.code))
    return 'PATH_INVALID';
  if (LIMIT_CODES.includes(textOr(body.error, ''))) return 'SPRITE_LIMIT';
  if (status === 404) return missing ?? 'SPRITE_NOT_FOUND';
  return CODE_OF_STATUS[status] ?? (status >= 500 ? (failed ?? 'ENGINE_UNAVAILABLE') : 'USAGE');
}

function messageOf(status: number, body: JsonObject, raw: Uint8Array): string {
  const text = [body.message, body.error].find((part) => typeof part === 'string' && part !== '');
  const said = printable(typeof text === 'string' ? text : Buffer.from(raw).toString('utf8'));
  const isHtml = /^\s*<(!doctype|html)/i.test(said);
  return said === '' || isHtml ? `the server answered ${status}` : said.slice(0, MAX_MESSAGE_CHARS);
}

function hintOf(code: ErrorCode, status: number, body: JsonObject, details: JsonObject): string | undefined {
  if (code === 'AUTH_REJECTED' && status === 403) {
    return 'the token may not do this: log in with another one (wreckit sprite login)';
  }
  const seconds = details.retry_after_seconds;
  if (code === 'RATE_LIMITED' && typeof seconds === 'number') return `try again in ${seconds} s`;
  if (typeof details.upgrade_url === 'string') return `the plan's limit is reached: ${details.upgrade_url}`;
  if (code === 'ENGINE_UNAVAILABLE')
    return 'the server has trouble of its own: try again later; see wisp --engine cloud doctor';
  return typeof body.hint === 'string' ? printable(body.hint).slice(0, MAX_MESSAGE_CHARS) : undefined;
}

/** Of 429, from body and headers; snake_case as the API writes them. */
function limitDetails(refusal: Refusal, body: JsonObject): Record<string, unknown> {
  const details: Record<string, unknown> = {};
  const seconds = retryAfterSeconds(refusal);
  if (seconds !== null) details.retry_after_seconds = seconds;
  for (const key of [
    'limit',
    'window_seconds',
    'current_count',
    'upgrade_available',
    'upgrade_url',
  ] as const) {
    const value = body[key];
    if (typeof value === 'number' || typeof value === 'boolean') details[key] = value;
    else if (typeof value === 'string') details[key] = printable(value).slice(0, MAX_MESSAGE_CHARS);
  }
  for (const name of ['limit', 'remaining', 'reset'] as const) {
    const text = firstOf(refusal.headers[`x-ratelimit-${name}`]);
    if (/^\d{1,15}$/.test(text)) details[`rate_limit_${name}`] = Number(text);
  }
  return details;
}

function ownDetails(body: JsonObject, { path }: CallFacts): Record<string, unknown> {
  const own = isObject(body.details) ? { ...body.details } : {};
  const errno = path !== undefined && !isErrorCode(body.code) ? body.code : undefined;
  const apiCode =
    typeof body.error === 'string' && /^[a-z0-9_]{1,64}$/.test(body.error) ? body.error : undefined;
  return {
    ...(apiCode === undefined ? {} : { api_code: apiCode }),
    ...own,
    ...(path === undefined ? {} : { path }),
    ...(typeof errno === 'string' && own.errno === undefined ? { errno } : {}),
  };
}

function bodyOf(bytes: Uint8Array): JsonObject {
  const value = tryParseObject(Buffer.from(bytes).toString('utf8'));
  return isObject(value) ? value : {};
}

function firstOf(value: string | readonly string[] | undefined): string {
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}
