/** What `openSession` is asked for, checked and with its defaults. */
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { SessionSpec, TerminalSize } from '../../engine.ts';
import type { InsideRequest, RunningSprite } from '../inside.ts';
import { assertSize } from './terminal-sizes.ts';
import { plainWrapper, terminalWrapper } from './wrapper.ts';

const DEFAULT_LOG_CAP_BYTES = 64 * 1024 * 1024;
const MIN_LOG_CAP_BYTES = 1024 * 1024;
/** What the supervisor's `sleep` and arithmetic take for sure. */
const MAX_TIMEOUT_MS = 1000 * 60 * 60 * 24 * 365;
/** The longest single argument or variable that Linux takes, its end included (MAX_ARG_STRLEN). */
const MAX_STRING_BYTES = 128 * 1024;
/** The first process inside is a shell, which loses every other name, and these. */
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHELL_NAMES = new Set(['IFS', 'OPTIND', 'PPID', 'UID', 'EUID', 'SHELLOPTS', 'BASHOPTS']);
const DEFAULT_TERM = 'xterm-256color';

export interface SessionRequest {
  readonly command: readonly string[];
  readonly dir: string;
  readonly user: 'sprite' | 'root';
  readonly tty: TerminalSize | null;
  readonly hasStdin: boolean;
  readonly timeoutMs: number | null;
  readonly logCapBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Throws `USAGE`, `PATH_INVALID`. */
export function sessionRequest(sprite: RunningSprite, spec: SessionSpec): SessionRequest {
  const { user = 'sprite', timeoutMs, logCapBytes = DEFAULT_LOG_CAP_BYTES, tty = null } = spec;
  if (user !== 'sprite' && user !== 'root') {
    throw new WreckitError('USAGE', `user: ${quote(user)} is neither "sprite" nor "root"`);
  }
  if (tty !== null) assertSize(tty);
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    throw new WreckitError(
      'USAGE',
      `timeout: ${timeoutMs} is not a number of ms from 1 to ${MAX_TIMEOUT_MS}`,
    );
  }
  if (!(logCapBytes >= MIN_LOG_CAP_BYTES && Number.isSafeInteger(logCapBytes))) {
    throw new WreckitError(
      'USAGE',
      `log cap: ${logCapBytes} is not a number of bytes from ${MIN_LOG_CAP_BYTES}`,
    );
  }
  return {
    command: checkedCommand(spec.command),
    dir: checkedDir(spec.dir ?? sprite.users[user].home),
    user,
    tty,
    hasStdin: spec.stdin === true || tty !== null,
    timeoutMs: timeoutMs ?? null,
    logCapBytes,
    annotations: spec.annotations ?? {},
    env: {
      ...(tty === null ? {} : { TERM: sprite.env.TERM ?? DEFAULT_TERM }),
      ...checkedEnv(spec.env ?? {}),
    },
  };
}

/** What the runtime is to start: the command in its wrapper. */
export function insideRequest(sprite: RunningSprite, request: SessionRequest): InsideRequest {
  const { command, user, dir, env, tty } = request;
  const shell = env.SHELL ?? sprite.env.SHELL;
  return {
    command: tty === null ? plainWrapper(command) : terminalWrapper({ command, ...tty, shell }),
    user,
    dir,
    env,
  };
}

function checkedCommand(command: readonly string[]): readonly string[] {
  const [program] = command;
  if (program === undefined || program === '')
    throw new WreckitError('USAGE', 'command: there is none to run');
  for (const argument of command) assertString('command: an argument', argument);
  return command;
}

function checkedDir(dir: string): string {
  if (dir.startsWith('/') && !dir.includes('\0')) return dir;
  throw new WreckitError('PATH_INVALID', `directory: ${quote(dir)} is not an absolute path`, {
    details: { path: dir },
  });
}

function checkedEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(env)) {
    if (!ENV_NAME.test(name) || SHELL_NAMES.has(name)) {
      throw new WreckitError(
        'USAGE',
        `environment: a command can't be given a variable named ${quote(name)}`,
        {
          hint: 'use letters, digits and "_", and none of the names that belong to the shell',
        },
      );
    }
    assertString(`environment: the value of ${name}`, `${name}=${value}`);
  }
  return env;
}

/** Throws `USAGE` for what the kernel can't hand to a program. The message never has the text: it may be a secret. */
function assertString(what: string, text: string): void {
  if (text.includes('\0'))
    throw new WreckitError('USAGE', `${what} has a NUL character, which none can have`);
  const sizeBytes = Buffer.byteLength(text) + 1;
  if (sizeBytes <= MAX_STRING_BYTES) return;
  throw new WreckitError('USAGE', `${what} has ${sizeBytes} bytes, and Linux takes ${MAX_STRING_BYTES}`, {
    hint: 'hand it over on stdin or in a file of the sprite',
  });
}
