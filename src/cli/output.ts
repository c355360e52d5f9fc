/** The one place that prints what a verb answered or why it failed, and knows the exit code of it. */
import { failureDocument, successDocument } from '../contract/envelope.ts';
import { errorOf, toWreckitError, WreckitError } from '../errors.ts';
import type { Io } from './io.ts';
import { shownAnswer, shownMessage, shownText } from './shown-text.ts';
import { interruptOf } from './signals.ts';
import { isColorWanted } from './table.ts';
import type { VerbResult } from './verb.ts';

/** As a shell reports a program ended by SIGPIPE: the reader of stdout left before the output ended. */
const EXIT_READER_GONE = 141;

export interface OutputMode {
  readonly io: Io;
  readonly verb: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly signal: AbortSignal;
  /** See `Program.calledAs`. */
  readonly calledAs?: string | undefined;
}

export async function printResult(mode: OutputMode, result: VerbResult): Promise<number> {
  const { io, json, verb } = mode;
  if (json) {
    if (result.data !== undefined)
      await io.stdout.write(`${JSON.stringify(successDocument(verb, result.data))}\n`);
  } else await io.stdout.write(textOf(io, result));
  const exitCode = result.exitCode ?? 0;
  return (
    interruptOf(mode.signal)?.exitCode ??
    (exitCode === 0 && io.stdout.closed.aborted ? EXIT_READER_GONE : exitCode)
  );
}

export async function printFailure(
  mode: OutputMode,
  thrown: unknown,
  exitCodeOf?: (error: WreckitError) => number,
): Promise<number> {
  const { io, json, verb } = mode;
  const interrupt = interruptOf(mode.signal);
  const error = renamed(failureError(verb, thrown, mode.signal), mode.calledAs);
  // Where stdout takes nothing (a full disk, a reader that left) the failure is still told on stderr.
  const document = `${JSON.stringify(failureDocument(verb, error))}\n`;
  const isTold = json && (await io.stdout.write(document).catch(() => false));
  if (!isTold) await say(io, failureText(error));
  if (mode.verbose) await say(io, `${traceOf(thrown)}\n`);
  return interrupt?.exitCode ?? exitCodeOf?.(error) ?? error.exitCode;
}

/** What a verb failed with, as it is told: that it was interrupted, where that is why. */
export function failureError(verb: string, thrown: unknown, signal: AbortSignal): WreckitError {
  const interrupt = interruptOf(signal);
  if (interrupt === null) return toWreckitError(thrown);
  return new WreckitError('INTERNAL', `${verb}: ${interrupt.message}`, {
    hint: 'run the command again',
    details: { signal: interrupt.signalName },
    retryable: true,
    cause: thrown,
  });
}

/** Talk that can't be written (a full disk behind stderr) changes nothing about what the program comes to. */
export async function say({ stderr }: Io, text: string): Promise<void> {
  await stderr.write(text).catch(() => false);
}

/** Our own name for the verbs, as it stands in help and hints, replaced by the host's. */
export function namedAs(text: string, calledAs: string | undefined): string {
  return calledAs === undefined ? text : text.replaceAll(/\bwreckit sprite\b/g, () => calledAs);
}

function renamed(error: WreckitError, calledAs: string | undefined): WreckitError {
  const hint = namedAs(error.hint, calledAs);
  if (hint === error.hint) return error;
  const { code, message, details, retryable, cause } = error;
  return errorOf(code, message, { hint, details, retryable, cause });
}

function textOf(io: Io, { text }: VerbResult): string {
  if (text === undefined) return '';
  const format = { columns: io.stdout.columns, color: isColorWanted(io.env, io.stdout.isTty) };
  const rendered = typeof text === 'string' ? text : text(format);
  const shown = shownAnswer(rendered);
  return shown === '' || shown.endsWith('\n') ? shown : `${shown}\n`;
}

export function failureText({ message, hint }: Pick<WreckitError, 'message' | 'hint'>): string {
  return `error: ${shownMessage(message)}\nhint: ${shownMessage(hint)}\n`;
}

function traceOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return shownText(String(thrown));
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${traceOf(thrown.cause)}`;
  return `${shownText(thrown.stack ?? thrown.message)}${cause}`;
}
