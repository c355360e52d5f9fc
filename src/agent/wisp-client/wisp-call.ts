/**
 * One call of a wisp program: run it, then conclude. Whatever becomes of the child – not startable, hung,
 * dead, garbage, an error body with exit 0 – the caller gets the data or one clear error.
 */
import { existsSync } from 'node:fs';
import { codeOfFailedVerb } from '../../contract/failure.ts';
import { parseWispJson, protocolError, type WispAnswer } from '../../contract/parse.ts';
import { printable } from '../../contract/printable.ts';
import { formatBytes, formatDuration } from '../../contract/units.ts';
import { errorOf, WispNotFoundError, WreckitError } from '../../errors.ts';
import { redact } from '../../logging.ts';
import type { RunOptions, RunResult } from '../../process/run.ts';
import { argvFor } from './dialect/dialect.ts';
import { verbOf, type WispCommand } from './wisp-command.ts';
import { incompatible, type WispProgram } from './wisp-program.ts';

export interface WispCall extends Pick<RunOptions, 'stdin' | 'maxBytes' | 'signal' | 'graceMs' | 'onSpawn'> {
  readonly program: WispProgram;
  readonly command: WispCommand;
  /** In place of what the command would be in the program's dialect. */
  readonly argv?: readonly string[] | undefined;
  /** The whole environment of the child (see child-env.ts). */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  readonly engine?: string | undefined;
  /** 0 or absent: no deadline. */
  readonly timeoutMs?: number | undefined;
  /** The exit code is the command's own, as for `exec`: it says nothing about the answer. */
  readonly hasOwnExitCode?: boolean | undefined;
  /** What it printed on stderr, for people. */
  readonly onTalk?: ((text: string) => void) | undefined;
}

export type RawOutput = Pick<RunOptions, 'stdout' | 'stderr'>;

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const STDERR_TAIL_CHARS = 500;
/** wisp cleans up on SIGTERM: it may take longer than an ordinary child. */
const GRACE_MS = 8000;

/** Asks for JSON and reads it. Throws the error wisp reports, or one that says what became of it. */
export async function callWisp(call: WispCall): Promise<WispAnswer> {
  const maxBytes = call.maxBytes ?? MAX_ANSWER_BYTES;
  const result = await runWisp(call, { stdout: 'capture', stderr: 'capture' }, true, maxBytes);
  const verb = verbOf(call.command);
  const talk = printable(new TextDecoder().decode(result.stderr));
  if (talk !== '') call.onTalk?.(talk);
  if (result.stdoutTruncatedBytes > 0) {
    const limit = formatBytes(maxBytes);
    throw protocolError(verb, `it printed more than ${limit}, which is no answer`, factsOf(result, call));
  }
  const answer = answerOf(result, call);
  if (result.exitCode === 0 || call.hasOwnExitCode === true) return answer;
  const what = `its answer says success, its exit code ${result.exitCode} says failure`;
  throw protocolError(verb, what, factsOf(result, call));
}

/**
 * Lets bytes through (with `json` they are documents of its own): the result of the program as it is, whatever
 * its exit code. Throws when it could not be run, timed out, was aborted or was ended by a signal.
 */
export async function streamWisp(call: WispCall, output: RawOutput, json = false): Promise<RunResult> {
  return await runWisp(call, output, json, call.maxBytes);
}

/** The failure of a program that was to pass bytes through and ended with something else than 0. */
export function streamFailure(result: RunResult, call: WispCall): WreckitError {
  const verb = verbOf(call.command);
  const talk = tailOf(result.stderr, call);
  const said = /^error: (.+)$/m.exec(talk)?.[1] ?? talk.split('\n').findLast((line) => line !== '');
  const what = said ?? `it ended with exit code ${result.exitCode} and said no more`;
  const hint = /^hint: (.+)$/m.exec(talk)?.[1];
  return errorOf(codeOfFailedVerb(verb, result.exitCode), `wisp ${verb}: ${what}`, {
    hint,
    details: factsOf(result, call),
  });
}

async function runWisp(
  call: WispCall,
  output: RawOutput,
  json: boolean,
  maxBytes: number | undefined,
): Promise<RunResult> {
  const argv = call.argv ?? argvFor(call.program, call.command, { json, engine: call.engine });
  const { run } = await import('../../process/run.ts');
  const result = await run(argv, {
    ...output,
    cwd: call.cwd,
    env: call.env,
    stdin: call.stdin,
    maxBytes,
    timeoutMs: call.timeoutMs === 0 ? undefined : call.timeoutMs,
    graceMs: call.graceMs ?? GRACE_MS,
    signal: call.signal,
    onSpawn: call.onSpawn,
  });
  throwIfNotEnded(result, call);
  return result;
}

function throwIfNotEnded(result: RunResult, call: WispCall): void {
  const verb = verbOf(call.command);
  if (result.aborted) throw call.signal?.reason ?? new DOMException('aborted', 'AbortError');
  if (result.spawnError !== null) throw notStarted(result, call);
  if (result.timedOut) {
    const limit = formatDuration(call.timeoutMs ?? 0);
    throw new WreckitError('TIMEOUT', `wisp ${verb}: it has not answered within ${limit}`, {
      details: { ...factsOf(result, call), timeout_ms: call.timeoutMs },
      retryable: true,
    });
  }
  if (result.exitCode !== null) return;
  const by = result.signal ?? 'something that left no exit code';
  throw protocolError(verb, `it was ended by ${by} before it answered`, factsOf(result, call));
}

function notStarted(result: RunResult, { program, command }: WispCall): WreckitError {
  const { errno, message } = result.spawnError ?? { errno: 'UNKNOWN', message: 'it could not be started' };
  const details = { wisp_path: program.path, errno };
  switch (errno) {
    case 'ENOENT':
      if (existsSync(program.path)) {
        return incompatible(program.path, 'the interpreter its first line names is missing', { errno });
      }
      return new WispNotFoundError(message, { details });
    case 'EACCES':
    case 'ENOEXEC':
    case 'EPERM':
    case 'EISDIR':
      return incompatible(program.path, 'the system cannot run it as a program', { errno });
    case 'E2BIG':
      return new WreckitError(
        'USAGE',
        `wisp ${verbOf(command)}: the arguments are longer than the system takes`,
        {
          hint: 'hand large data over on stdin or in a file',
          details,
        },
      );
    default:
      return new WreckitError('ENGINE_UNAVAILABLE', message, { details, retryable: errno === 'EAGAIN' });
  }
}

function answerOf(result: RunResult, call: WispCall): WispAnswer {
  const verb = verbOf(call.command);
  try {
    return parseWispJson(result.stdout, verb, result.exitCode);
  } catch (thrown) {
    if (!(thrown instanceof WreckitError) || thrown.code !== 'WISP_PROTOCOL') throw thrown;
    const talk = tailOf(result.stderr, call).split('\n').at(-1) ?? '';
    const exit = result.exitCode === 0 ? '' : `, it ended with exit code ${result.exitCode}`;
    const said = talk === '' ? '' : `, on stderr it said: ${talk.slice(0, 200)}`;
    throw protocolError(verb, `${thrown.message.replace(`wisp ${verb}: `, '')}${exit}${said}`, {
      ...thrown.details,
      ...factsOf(result, call),
    });
  }
}

function factsOf(result: RunResult, call: WispCall): Record<string, unknown> {
  return {
    wisp_path: call.program.path,
    exit_code: result.exitCode,
    signal: result.signal,
    stderr_tail: tailOf(result.stderr, call),
  };
}

/** The last line it said on stderr; empty when there is none. */
export function saidBy(result: RunResult, call: WispCall): string {
  return tailOf(result.stderr, call).trimEnd().split('\n').at(-1) ?? '';
}

/** The end of what it said on stderr, without the token should it have printed that. */
function tailOf(stderr: Uint8Array, { env }: WispCall): string {
  const text = printable(new TextDecoder().decode(stderr.subarray(-4 * STDERR_TAIL_CHARS)));
  const secrets = [env.SPRITES_TOKEN, env.SPRITE_TOKEN].filter((secret) => secret !== undefined);
  return redact(text, secrets).slice(-STDERR_TAIL_CHARS);
}
