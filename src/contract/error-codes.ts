/**
 * The error codes of the wisp contract, version 1 (docs/wisp-contract.md): each code's exit code, HTTP
 * status and default hint. A code that lacks one of the three does not compile.
 */

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  conflict: 5,
  engine: 6,
  timeout: 7,
  refused: 8,
  unsupported: 9,
  agentFailed: 10,
  needsInput: 11,
  /** `exec`: the engine failed, not the command. */
  execEngine: 125,
  execNotExecutable: 126,
  execNotFound: 127,
} as const;

interface CodeFacts {
  readonly exitCode: number;
  readonly httpStatus: number;
  readonly hint: string;
}

function facts(exitCode: number, httpStatus: number, hint: string): CodeFacts {
  return { exitCode, httpStatus, hint };
}

export const ERROR_CODES = {
  USAGE: facts(EXIT.usage, 400, 'run the command with --help to see its arguments and examples'),
  CONFIG_INVALID: facts(EXIT.usage, 400, 'see what is in force: wreckit config show --origin'),
  SPRITE_NAME_INVALID: facts(
    EXIT.usage,
    400,
    'use 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit',
  ),
  PATH_INVALID: facts(
    EXIT.usage,
    400,
    'give an absolute path inside the sprite, such as /home/sprite/project',
  ),
  NOT_A_TTY: facts(EXIT.usage, 400, 'run a command without a terminal instead: exec NAME -- CMD'),
  SPRITE_NOT_FOUND: facts(EXIT.notFound, 404, 'list all sprites: wreckit sprite list'),
  SESSION_NOT_FOUND: facts(EXIT.notFound, 404, 'list the sessions there are: wreckit sprite sessions NAME'),
  CHECKPOINT_NOT_FOUND: facts(
    EXIT.notFound,
    404,
    'list the checkpoints there are: wisp checkpoint list NAME',
  ),
  SERVICE_NOT_FOUND: facts(EXIT.notFound, 404, 'list the services there are: wisp service list NAME'),
  AUTH_MISSING: facts(EXIT.auth, 401, 'log in (wreckit sprite login) or set SPRITES_TOKEN'),
  AUTH_REJECTED: facts(EXIT.auth, 403, 'the token was refused: log in again with wreckit sprite login'),
  SPRITE_EXISTS: facts(EXIT.conflict, 409, 'choose another name, or kill the sprite of this name first'),
  SPRITE_BUSY: facts(
    EXIT.conflict,
    409,
    'another command is changing this sprite: try again when it is done',
  ),
  SPRITE_LIMIT: facts(
    EXIT.conflict,
    429,
    'kill a sprite that is no longer needed, or raise the limit (maxVMs)',
  ),
  CONFLICT: facts(EXIT.conflict, 409, 'the state changed meanwhile: look again, then retry'),
  RATE_LIMITED: facts(EXIT.conflict, 429, 'wait for the time named, then try again'),
  WISP_NOT_FOUND: facts(
    EXIT.engine,
    503,
    'set agent.wispPath to a wisp program, or remove it to use the bundled one',
  ),
  WISP_INCOMPATIBLE: facts(
    EXIT.engine,
    503,
    'set agent.wispPath to a wisp that speaks protocol 1, or remove it to use the bundled one',
  ),
  ENGINE_UNAVAILABLE: facts(EXIT.engine, 503, 'see what is missing: wreckit doctor'),
  RUNTIME_NOT_FOUND: facts(EXIT.engine, 503, 'install an OCI runtime: apt-get install -y runc'),
  TIMEOUT: facts(EXIT.timeout, 504, 'give it more time with --timeout'),
  POLICY_DENIED: facts(EXIT.refused, 403, 'see the policy in force: wreckit sprite info NAME'),
  ISOLATION_UNAVAILABLE: facts(EXIT.refused, 422, 'see the levels this machine can give: wisp version'),
  UNSUPPORTED: facts(EXIT.unsupported, 501, 'see what this engine can do: wisp version'),
  WISP_PROTOCOL: facts(EXIT.failed, 502, 'the wisp program answered nonsense: check it with wreckit doctor'),
  SPRITE_START_FAILED: facts(EXIT.failed, 500, 'check this machine with wreckit doctor'),
  SPRITE_ATTACH_FAILED: facts(
    EXIT.failed,
    500,
    'see whether the session still runs: wreckit sprite sessions NAME',
  ),
  SPRITE_KILL_FAILED: facts(EXIT.failed, 500, 'try again, then: wreckit sprite gc'),
  SPRITE_EXEC_FAILED: facts(EXIT.failed, 500, 'see the state of the sprite: wreckit sprite info NAME'),
  SPRITE_SYNC_FAILED: facts(
    EXIT.failed,
    500,
    'nothing was changed on this machine: see the message, then try again',
  ),
  SESSION_LOST: facts(EXIT.failed, 410, 'its output up to then is kept: wreckit sprite logs NAME SESSION'),
  INTERNAL: facts(
    EXIT.failed,
    500,
    'this is a fault of the program: run again with --verbose and report what it says',
  ),
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(ERROR_CODES, text);
}

export function exitCodeOf(code: ErrorCode): number {
  return ERROR_CODES[code].exitCode;
}

export function httpStatusOf(code: ErrorCode): number {
  return ERROR_CODES[code].httpStatus;
}

/** Exit status of a program ended by a signal, as a shell reports it (128+n). */
export const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
