/** The JSON document both programs print under `--json` (docs/wisp-contract.md, "Output"). */
import type { WreckitError } from '../errors.ts';
import type { ErrorCode } from './error-codes.ts';

export interface SuccessDocument<T = unknown> {
  readonly success: true;
  readonly verb: string;
  readonly data: T;
}

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface FailureDocument {
  readonly success: false;
  readonly verb: string;
  readonly error: ErrorBody;
}

export function successDocument<T>(verb: string, data: T): SuccessDocument<T> {
  return { success: true, verb, data };
}

export function failureDocument(verb: string, error: WreckitError): FailureDocument {
  const { code, message, hint, retryable, details } = error;
  return { success: false, verb, error: { code, message, hint, retryable, details } };
}
