/**
 * The terminal this program runs in: raw while a session has it, and given back as it was found on every way
 * out – detach, end of the session, error, signal, and `process.exit` from anywhere.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { ReadStream } from 'node:tty';
import type { Io } from '../../cli/io.ts';
import type { TerminalSize } from '../../engine/engine.ts';
import { errnoOf, WreckitError } from '../../errors.ts';
import { calledAs } from '../called-as.ts';
import { TerminalModes } from './terminal-modes.ts';

/** What terminals are said to be where they don't say. */
const FALLBACK_SIZE: TerminalSize = { cols: 80, rows: 24 };
const STDOUT_FD = 1;
/** Of the process: given back first, so that what is told then (see cli/main.ts) is seen. */
const LAST_EVENTS = ['exit', 'uncaughtException', 'unhandledRejection'] as const;

/** Throws `NOT_A_TTY`, naming what works without a terminal. */
export function assertTerminal(io: Io, verb: string, name: string): void {
  if (io.isStdinTty && io.stdout.isTty) return;
  const which = io.isStdinTty ? 'stdout' : 'stdin';
  throw new WreckitError('NOT_A_TTY', `${verb}: ${which} is not a terminal`, {
    hint: `run a command without a terminal instead: ${calledAs(io.env)} exec ${name} -- CMD`,
  });
}

export class LocalTerminal implements Disposable {
  readonly #io: Io;
  readonly #stdin: ReadStream;
  readonly #modes = new TerminalModes();
  #isTaken = false;
  /** As `stty -g` tells them; empty where there is no stty. */
  #settings = '';
  readonly #onExit = (): void => this.#giveBackNow();

  constructor(io: Io) {
    this.#io = io;
    // assertTerminal has seen that stdin is one.
    this.#stdin = io.stdin as unknown as ReadStream;
  }

  size(): TerminalSize {
    const [cols = 0, rows = 0] = process.stdout.getWindowSize?.() ?? [];
    return cols > 0 && rows > 0 ? { cols, rows } : FALLBACK_SIZE;
  }

  /** Raw from here on: keys come one by one, Ctrl+C included. */
  take(): void {
    this.#isTaken = true;
    for (const event of LAST_EVENTS) process.on(event, this.#onExit);
    this.#settings = stty('-g');
    this.#stdin.setRawMode(true);
    // The raw mode of the runtimes still makes CR LF of LF: a program on the session's terminal means what it says.
    stty('-opost');
  }

  /** Calls `listener` for what is typed, and for each new size, until the returned function is called. */
  listen(onTyped: (bytes: Uint8Array) => void, onSize: () => void): () => void {
    const onEnd = (): void => onTyped(new Uint8Array(0));
    this.#stdin.on('data', onTyped);
    this.#stdin.on('end', onEnd);
    this.#stdin.resume();
    process.on('SIGWINCH', onSize);
    return () => {
      this.#stdin.off('data', onTyped);
      this.#stdin.off('end', onEnd);
      this.#stdin.pause();
      process.off('SIGWINCH', onSize);
    };
  }

  /** False: the terminal is gone. */
  async write(bytes: Uint8Array): Promise<boolean> {
    this.#modes.track(bytes);
    return await this.#io.stdout.write(bytes);
  }

  /** Modes and raw mode as they were; at once, since what comes next may be the end of the process. */
  [Symbol.dispose](): void {
    for (const event of LAST_EVENTS) process.off(event, this.#onExit);
    this.#giveBackNow();
  }

  #giveBackNow(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    writeNow(this.#modes.restoreSequence());
    try {
      this.#stdin.setRawMode(false);
      if (this.#settings !== '') stty(this.#settings);
    } catch (thrown) {
      // The terminal went away (its window was closed): there is nothing to restore.
      if (errnoOf(thrown) === undefined) throw thrown;
    }
  }
}

/** On our terminal; what it prints, empty when it failed. */
function stty(argument: string): string {
  const { status, stdout } = spawnSync('stty', [argument], { stdio: ['inherit', 'pipe', 'ignore'] });
  return status === 0 ? stdout.toString('latin1').trim() : '';
}

const GONE = ['EIO', 'EPIPE', 'EBADF', 'ENXIO', 'EAGAIN'];

/** All writes before have been waited for, so that this one comes last. */
function writeNow(text: string): void {
  try {
    fs.writeSync(STDOUT_FD, text);
  } catch (thrown) {
    if (!GONE.includes(errnoOf(thrown) ?? '')) throw thrown;
  }
}
