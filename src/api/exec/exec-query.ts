/** What a new command is to be, from the query of `exec`. */
import { z } from 'zod';
import { quote } from '../../contract/names.ts';
import { parseDurationMs } from '../../contract/units.ts';
import type { SessionSpec, TerminalSize } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { flag, wholeNumber } from '../schemas/query.ts';
import { MAX_RUN_ANNOTATION } from './session-clients.ts';

export const ExecQuery = z.object({
  cmd: z.array(z.string()).describe('The command, one argument each; the first is the program'),
  path: z.string().optional().describe('The program to run; the first `cmd` when absent, else a shell'),
  dir: z
    .string()
    .optional()
    .describe('Working directory; relative to the home directory, which is the default'),
  env: z.array(z.string()).describe('`NAME=VALUE`, merged over the environment of the sprite'),
  tty: flag.describe('With a terminal'),
  rows: wholeNumber(0, 10_000).optional().describe('24 when absent or 0'),
  cols: wholeNumber(0, 10_000).optional().describe('80 when absent or 0'),
  stdin: flag.optional().describe('Input follows; with a terminal always'),
  id: z.string().optional().describe('Attach to this session instead (older form of `exec/{session_id}`)'),
  detachable: flag.describe('Older: goes on without a client, as every session with a terminal does'),
  cc: flag.describe('Older; without meaning'),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "it is not a user's name")
    .optional()
    .describe('Beyond the API: `root`, the root of the sprite; else `sprite`'),
  timeout: z.string().optional().describe('Beyond the API: it is ended after this long, such as `30s`'),
  max_run_after_disconnect: z
    .string()
    .optional()
    .describe('How long it may go on without a client, such as `10s`; `0`: for ever'),
  output_offset: wholeNumber(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('With `id`: replay standard output (or the terminal) from this byte'),
  stderr_offset: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
});

export const EXEC_REPEATED = ['cmd', 'env'];
export type ExecParams = z.output<typeof ExecQuery>;

const HOME = '/home/sprite';
const DEFAULT_SIZE: TerminalSize = { cols: 80, rows: 24 };
const DEFAULT_MAX_RUN_MS = 10_000;
/** Timers can't wait longer (24.8 days); whoever wants more wants no limit. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_ARGUMENTS_BYTES = 1024 * 1024;

/** Throws `USAGE`. */
export function sessionSpecOf(query: ExecParams): SessionSpec {
  const { tty, dir, stdin } = query;
  return {
    command: commandOf(query),
    dir: dir === undefined || dir === '' ? undefined : dir.startsWith('/') ? dir : `${HOME}/${dir}`,
    env: environmentOf(query.env),
    stdin: tty || (stdin ?? false),
    user: query.user,
    timeoutMs: timeoutMsOf(query),
    ...(tty ? { tty: sizeOf(query) } : {}),
    annotations: { [MAX_RUN_ANNOTATION]: String(maxRunMsOf(query)) },
  };
}

/** A bash where there is one: what the default command of the API is. */
const SHELL = ['/bin/sh', '-c', 'command -v bash > /dev/null && exec bash -l; exec sh -l'];

function commandOf({ cmd, path }: ExecParams): readonly string[] {
  const bytes = cmd.reduce((total, word) => total + Buffer.byteLength(word) + 1, 0);
  if (bytes > MAX_ARGUMENTS_BYTES) {
    throw new WreckitError('USAGE', `query "cmd": the command is longer than ${MAX_ARGUMENTS_BYTES} bytes`);
  }
  if (cmd.some((word) => word.includes('\0'))) {
    throw new WreckitError('USAGE', 'query "cmd": an argument has a NUL in it');
  }
  const program = path === undefined || path === '' ? cmd[0] : path;
  if (program === undefined || program === '') return SHELL;
  if (program.includes('\0')) throw new WreckitError('USAGE', 'query "path": it has a NUL in it');
  return [program, ...cmd.slice(1)];
}

/** The value of a variable is never repeated in a message. */
export function environmentOf(assignments: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const name = at === -1 ? assignment : assignment.slice(0, at);
    if (at === -1 || !isVariableName(name)) {
      throw new WreckitError('USAGE', `query "env": ${quote(name)} is not NAME=VALUE`);
    }
    if (assignment.includes('\0')) {
      throw new WreckitError('USAGE', `query "env": the value of ${name} has a NUL in it`);
    }
    env[name] = assignment.slice(at + 1);
  }
  return env;
}

export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

function sizeOf({ cols, rows }: ExecParams): TerminalSize {
  return { cols: cols || DEFAULT_SIZE.cols, rows: rows || DEFAULT_SIZE.rows };
}

function timeoutMsOf({ timeout }: ExecParams): number | undefined {
  if (timeout === undefined || timeout === '') return undefined;
  const ms = parseDurationMs(timeout);
  if (ms > 0 && ms <= MAX_TIMER_MS) return ms;
  throw new WreckitError('USAGE', 'query "timeout": it is not between 1ms and 24d');
}

function maxRunMsOf({ max_run_after_disconnect: text, tty, detachable }: ExecParams): number {
  if (text === undefined || text === '') return tty || detachable ? 0 : DEFAULT_MAX_RUN_MS;
  const ms = parseDurationMs(text);
  return ms > MAX_TIMER_MS ? 0 : ms;
}
