/** What `openSession` is asked for, checked and with its defaults. */
import { quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { SessionSpec, TerminalSize } from '../../engine.ts';
import type { InsideRequest, RunningSprite } from '../inside.ts';
import { assertString, checkedEnv } from '../program-strings.ts';
import { assertSize } from './terminal-sizes.ts';
import { plainWrapper, terminalWrapper } from './wrapper.ts';

const DEFAULT_LOG_CAP_BYTES = 64 * 1024 * 1024;
const MIN_LOG_CAP_BYTES = 1024 * 1024;
/** What the supervisor's `sleep` and arithmetic take for sure. */
const MAX_TIMEOUT_MS = 1000 * 60 * 60 * 24 * 365;
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
