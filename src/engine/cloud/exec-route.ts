/** The URL of a new command. Everything of it is in the query: that is the API, and why there is a limit. */
import { quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { SessionSpec } from '../engine.ts';
import { apiPath } from './api-client.ts';

/** Servers and what stands before them take no longer request line. */
const MAX_QUERY_BYTES = 32 * 1024;

/**
 * Some servers set the variables in place of their own environment, others add them. So that a program is found
 * in both, what is missing of a plain environment is put in by a shell of which nothing is left afterwards.
 */
const WITH_ENVIRONMENT = [
  '/bin/sh',
  '-c',
  `PATH=\${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin} HOME=\${HOME:-/home/sprite}; export PATH HOME; exec "$@"`,
  'sh',
];

export interface ExecRoute {
  readonly name: string;
  readonly spec: SessionSpec;
  /** What the server does beyond the API. */
  readonly extensions: ReadonlySet<string>;
}

/** Throws `USAGE`, `UNSUPPORTED`. */
export function execRoute({ name, spec, extensions }: ExecRoute): string {
  const { command, dir, env = {}, tty, stdin = false, user, timeoutMs } = spec;
  const isOther = user !== undefined && user !== 'sprite';
  if (isOther && !extensions.has('exec-user')) {
    throw new WreckitError(
      'UNSUPPORTED',
      `exec in ${quote(name)}: this server runs commands as "sprite" alone`,
      {
        hint: 'leave out --user; where the sprite allows it: exec NAME -- sudo CMD',
      },
    );
  }
  const names = Object.keys(env);
  const isWrapped = names.length > 0 && !extensions.has('exec-env');
  const argv = isWrapped ? [...WITH_ENVIRONMENT, ...command] : command;
  const query = new URLSearchParams();
  for (const word of argv) query.append('cmd', word);
  query.append('path', argv[0] ?? '');
  if (dir !== undefined) query.append('dir', dir);
  for (const key of names) query.append('env', `${key}=${env[key]}`);
  if (tty !== undefined) {
    query.append('tty', 'true');
    query.append('rows', String(tty.rows));
    query.append('cols', String(tty.cols));
  }
  query.append('stdin', String(tty !== undefined || stdin));
  if (isOther) query.append('user', user);
  if (timeoutMs !== undefined && extensions.has('exec-timeout')) query.append('timeout', `${timeoutMs}ms`);
  // Always said: what a server does by itself differs, and a lost connection must not end the command.
  query.append('max_run_after_disconnect', goDuration(timeoutMs ?? 0));
  const text = query.toString();
  if (text.length <= MAX_QUERY_BYTES) return `${apiPath(['sprites', name, 'exec'])}?${text}`;
  throw new WreckitError(
    'USAGE',
    `exec in ${quote(name)}: command and environment are ${text.length} bytes as a URL, at most ${MAX_QUERY_BYTES} fit`,
    { hint: 'put what is long into a file first (wisp fs write), and give its name' },
  );
}

/** `0`: no limit. */
export function goDuration(ms: number): string {
  return ms === 0 ? '0' : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
