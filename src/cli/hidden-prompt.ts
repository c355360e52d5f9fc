/**
 * A secret from the terminal: nothing of it is shown. The terminal is given back as it was on every way out.
 * Keys are those of a line that is typed or pasted: Enter ends it, Backspace and Ctrl+U correct it, Ctrl+C and
 * Ctrl+D leave.
 */
import type { ReadStream } from 'node:tty';
import { errnoOf, WreckitError } from '../errors.ts';
import type { Io } from './io.ts';

const MAX_CHARS = 8192;
const ENTER = ['\r', '\n'];
const BACKSPACE = ['\b', '\x7f'];
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';
/** What terminals put around a paste, and other keys that are no text. */
const ESCAPES = /\x1b(\[[0-9;?]*[ -/]*[@-~]|O.|.)?/g;

/** Throws `NOT_A_TTY`, `USAGE` when nothing is given, the reason of `signal`, which Ctrl+C aborts as it does elsewhere. */
export async function hiddenPrompt(io: Io, question: string, signal: AbortSignal): Promise<string> {
  if (!io.isStdinTty) throw new WreckitError('NOT_A_TTY', 'prompt: stdin is not a terminal');
  signal.throwIfAborted();
  const stdin = io.stdin as unknown as ReadStream;
  const giveBack = (): void => setRaw(stdin, false);
  process.on('exit', giveBack);
  setRaw(stdin, true);
  try {
    // Raw first: whoever answers as soon as the question shows must not see it echoed.
    await io.stderr.write(question);
    return await typedLine(stdin, signal);
  } finally {
    process.off('exit', giveBack);
    giveBack();
    stdin.pause();
    await io.stderr.write('\n');
  }
}

function typedLine(stdin: ReadStream, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const line = new Line();
    const done = (act: () => void): void => {
      stdin.off('data', onData).off('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onEnd = (): void => done(() => reject(new WreckitError('USAGE', 'prompt: nothing was given')));
    const onAbort = (): void => done(() => reject(signal.reason));
    const onData = (bytes: Buffer): void => {
      const end = line.type(bytes);
      // In raw mode the terminal sends no signal; the program's own handling of it is what is meant.
      if (end === 'interrupt') process.kill(process.pid, 'SIGINT');
      else if (end === 'end' && line.text === '') onEnd();
      else if (end !== null) done(() => resolve(line.text));
    };
    stdin.on('data', onData).on('end', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
    stdin.resume();
  });
}

class Line {
  text = '';
  readonly #decoder = new TextDecoder();

  /** How it ended; null: it goes on. */
  type(bytes: Uint8Array): 'enter' | 'end' | 'interrupt' | null {
    const keys = this.#decoder.decode(bytes, { stream: true }).replace(ESCAPES, '');
    for (const key of keys) {
      if (key === CTRL_C) return 'interrupt';
      if (key === CTRL_D) return 'end';
      if (ENTER.includes(key)) return 'enter';
      if (key === CTRL_U) this.text = '';
      else if (BACKSPACE.includes(key)) this.text = this.text.slice(0, -1);
      else if (key >= ' ' && this.text.length < MAX_CHARS) this.text += key;
    }
    return null;
  }
}

function setRaw(stdin: ReadStream, isRaw: boolean): void {
  try {
    stdin.setRawMode(isRaw);
  } catch (thrown) {
    // The terminal went away: there is nothing to give back.
    if (errnoOf(thrown) === undefined) throw thrown;
  }
}
