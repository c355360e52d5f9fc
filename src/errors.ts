/** The one error class of both programs. Branch on `code`, never on the message. */
import { ERROR_CODES, type ErrorCode } from './contract/error-codes.ts';

export interface ErrorOptions {
  /** What to do next; the code's default hint when absent. */
  hint?: string | undefined;
  /** Machine-readable facts (snake_case keys); never a secret. */
  details?: Readonly<Record<string, unknown>> | undefined;
  /** True when the same call may succeed later without any change. */
  retryable?: boolean | undefined;
  cause?: unknown;
}

export class WreckitError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint ?? ERROR_CODES[code].hint;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? false;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }
}

export class WispNotFoundError extends WreckitError {
  constructor(message: string, options?: ErrorOptions) {
    super('WISP_NOT_FOUND', message, options);
  }
}

export class SpriteStartError extends WreckitError {
  constructor(message: string, options?: ErrorOptions) {
    super('SPRITE_START_FAILED', message, options);
  }
}

export class SpriteAttachError extends WreckitError {
  constructor(message: string, options?: ErrorOptions) {
    super('SPRITE_ATTACH_FAILED', message, options);
  }
}

export class SpriteKillError extends WreckitError {
  constructor(message: string, options?: ErrorOptions) {
    super('SPRITE_KILL_FAILED', message, options);
  }
}

export class SpriteExecError extends WreckitError {
  constructor(message: string, options?: ErrorOptions) {
    super('SPRITE_EXEC_FAILED', message, options);
  }
}

export class SpriteSyncError extends WreckitError {
  constructor(message: string, options?: ErrorOptions) {
    super('SPRITE_SYNC_FAILED', message, options);
  }
}

/** The error of a code in the class that callers catch (see the list above), else `WreckitError`. */
export function errorOf(code: ErrorCode, message: string, options?: ErrorOptions): WreckitError {
  switch (code) {
    case 'WISP_NOT_FOUND':
      return new WispNotFoundError(message, options);
    case 'SPRITE_START_FAILED':
      return new SpriteStartError(message, options);
    case 'SPRITE_ATTACH_FAILED':
      return new SpriteAttachError(message, options);
    case 'SPRITE_KILL_FAILED':
      return new SpriteKillError(message, options);
    case 'SPRITE_EXEC_FAILED':
      return new SpriteExecError(message, options);
    case 'SPRITE_SYNC_FAILED':
      return new SpriteSyncError(message, options);
    default:
      return new WreckitError(code, message, options);
  }
}

/** Whatever was thrown, as a `WreckitError`; what is not one of ours becomes `INTERNAL`. */
export function toWreckitError(thrown: unknown): WreckitError {
  if (thrown instanceof WreckitError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const hint = hintForDisk(thrown);
  return new WreckitError('INTERNAL', message, hint === null ? { cause: thrown } : { cause: thrown, hint });
}

/** What to do where it is the disk that refuses: no fault of the program's. */
function hintForDisk(thrown: unknown): string | null {
  switch (errnoOf(thrown)) {
    case 'EACCES':
    case 'EPERM':
      return 'it must be yours: see with ls -l whose it is (a command with sudo leaves files of root behind)';
    case 'EROFS':
      return 'its file system is mounted read-only: mount it writable, or work elsewhere';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'there is no space left for it: make room, then try again';
    default:
      return null;
  }
}

/** The errno name of a thrown system error (`ENOENT`), or undefined; `ERR_…` are faults of programs. */
export function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' && /^E[A-Z0-9]+$/.test(thrown.code) ? thrown.code : undefined;
}
