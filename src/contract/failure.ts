/** Error bodies of a wisp program, ours or somebody else's, as errors of this program. */
import { errorOf, type WreckitError } from '../errors.ts';
import { type ErrorCode, isErrorCode } from './error-codes.ts';
import { isObject } from './json-value.ts';
import { printable } from './printable.ts';

const MAX_MESSAGE_CHARS = 2000;

/** What a failure of a verb is called when its own code is unknown. */
const CODE_OF_VERB: Readonly<Record<string, ErrorCode>> = {
  start: 'SPRITE_START_FAILED',
  attach: 'SPRITE_ATTACH_FAILED',
  kill: 'SPRITE_KILL_FAILED',
  exec: 'SPRITE_EXEC_FAILED',
  push: 'SPRITE_SYNC_FAILED',
  pull: 'SPRITE_SYNC_FAILED',
};

/** The exit codes of the contract, for programs that keep those but not the error codes. */
const CODE_OF_EXIT: Readonly<Record<number, ErrorCode>> = {
  2: 'USAGE',
  3: 'SPRITE_NOT_FOUND',
  4: 'AUTH_REJECTED',
  5: 'CONFLICT',
  6: 'ENGINE_UNAVAILABLE',
  7: 'TIMEOUT',
  8: 'POLICY_DENIED',
  9: 'UNSUPPORTED',
};

/** The error a document reports, or undefined where it reports none. */
export function failureOf(document: object, verb: string, exitCode: number | null): WreckitError | undefined {
  if (!isObject(document)) return undefined;
  const body = document.error;
  const hasBody = isObject(body) || (typeof body === 'string' && body !== '');
  const isFailure = document.success === false || document.ok === false || hasBody;
  return isFailure ? bodyError(hasBody ? body : document, verb, exitCode) : undefined;
}

/** The code a verb's failure gets where nothing better is known. */
export function codeOfFailedVerb(verb: string, exitCode: number | null): ErrorCode {
  return CODE_OF_EXIT[exitCode ?? 0] ?? CODE_OF_VERB[verb] ?? 'WISP_PROTOCOL';
}

function bodyError(body: unknown, verb: string, exitCode: number | null): WreckitError {
  const fields = isObject(body) ? body : { message: body };
  const message = textOf(fields.message) ?? textOf(fields.error_description) ?? textOf(fields.detail);
  const details = isObject(fields.details) ? fields.details : {};
  const options = { retryable: fields.retryable === true, hint: textOf(fields.hint) };
  if (isErrorCode(fields.code)) {
    return errorOf(fields.code, message ?? `wisp ${verb}: it failed and said no more`, {
      ...options,
      details,
    });
  }
  const wispCode = typeof fields.code === 'number' ? fields.code : textOf(fields.code);
  return errorOf(
    codeOfFailedVerb(verb, exitCode),
    message === undefined ? `wisp ${verb}: it failed and said no more` : `wisp ${verb}: ${message}`,
    { ...options, details: { ...details, ...(wispCode === undefined ? {} : { wisp_code: wispCode }) } },
  );
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = printable(value);
  return text === '' ? undefined : text.slice(0, MAX_MESSAGE_CHARS);
}
