/**
 * A session on the user's terminal, until one of these:
 *
 *   exit      the session ended: its last byte is on the screen
 *   detach    the detach key: the session goes on
 *   hangup    the terminal is gone, or this program is to end (SIGTERM, SIGHUP, SIGINT from elsewhere): the
 *             session goes on
 *
 * Output is raw bytes, as they were written; only a character cut between two pieces waits for its rest.
 */
import type { SessionExit, SessionHandle, TerminalSize } from '../../engine/engine.ts';
import { incompleteTailBytes, orphanHeadBytes } from '../utf8-tail.ts';
import { type DetachKey, DetachScanner } from './detach-key.ts';
import type { LocalTerminal } from './local-terminal.ts';

export type TerminalEnd =
  | { readonly kind: 'exit'; readonly exit: SessionExit }
  | { readonly kind: 'detach' }
  | { readonly kind: 'hangup' };

export interface TerminalRun {
  readonly terminal: LocalTerminal;
  readonly handle: SessionHandle;
  readonly detachKey: DetachKey | null;
  /** Nothing typed is sent, and the session keeps its size. */
  readonly readOnly: boolean;
  /** Where to go on; absent: the present screen first, then what follows it. */
  readonly from: number | undefined;
  readonly signal: AbortSignal;
}

/** How much is repeated of a session whose screen can't be drawn. */
const REPEATED_BYTES = 64 * 1024;
const CTRL_C = 0x03;
/** How long leaving waits for what is on its way: a session that doesn't read, a terminal held with Ctrl+S. */
const LAST_WORDS_MS = 500;

/** Throws `SESSION_LOST`. The caller gives the terminal back. */
export async function runTerminal(run: TerminalRun): Promise<TerminalEnd> {
  const { terminal, handle, readOnly, signal } = run;
  const leaving = new AbortController();
  const size = new SizeSync(handle, () => terminal.size());
  const keys = new Promise<TerminalEnd>((resolve, reject) => {
    const input = new InputPump(run, resolve, reject);
    const onSize = (): void => {
      if (!readOnly) size.changed().catch(reject);
    };
    const stopListening = terminal.listen((bytes) => input.typed(bytes), onSize);
    leaving.signal.addEventListener('abort', stopListening, { once: true });
  });
  const hangup = new Promise<TerminalEnd>((resolve) => {
    const onAbort = (): void => resolve({ kind: 'hangup' });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    if (!readOnly) await size.changed();
    const output = showOutput(run, leaving.signal);
    const end = await Promise.race([output, keys, hangup]);
    leaving.abort();
    // A piece that is being written is finished before the terminal is given back, if that takes it.
    if (end.kind !== 'exit') await within(LAST_WORDS_MS, output);
    return end;
  } finally {
    leaving.abort();
  }
}

async function showOutput(run: TerminalRun, leaving: AbortSignal): Promise<TerminalEnd> {
  const { terminal, handle } = run;
  const start = await startOf(run, leaving);
  let held = Buffer.alloc(0);
  let isFirst = start.isRaw;
  if (start.screen.length > 0 && !(await terminal.write(start.screen))) return { kind: 'hangup' };
  try {
    const request = { stdoutFrom: start.offset, streams: ['stdout'], follow: true, signal: leaving } as const;
    for await (const { bytes, droppedBytes } of handle.output(request)) {
      if (leaving.aborted) return { kind: 'detach' };
      const isCut = isFirst || droppedBytes > 0;
      const fresh = isCut ? bytes.subarray(orphanHeadBytes(bytes)) : bytes;
      const whole = Buffer.concat([held, fresh]);
      const keptBytes = whole.length - incompleteTailBytes(whole);
      held = Buffer.from(whole.subarray(keptBytes));
      isFirst = false;
      if (!(await terminal.write(whole.subarray(0, keptBytes)))) return { kind: 'hangup' };
    }
  } catch (thrown) {
    if (leaving.aborted) return { kind: 'detach' };
    throw thrown;
  }
  if (held.length > 0) await terminal.write(held);
  return { kind: 'exit', exit: await handle.exit({ signal: leaving }) };
}

interface OutputStart {
  readonly screen: Uint8Array;
  readonly offset: number;
  /** It may begin in the middle of a character. */
  readonly isRaw: boolean;
}

async function startOf({ handle, from }: TerminalRun, signal: AbortSignal): Promise<OutputStart> {
  const nothing = new Uint8Array(0);
  if (from !== undefined) return { screen: nothing, offset: from, isRaw: true };
  if (handle.screen === undefined) return { screen: nothing, offset: -REPEATED_BYTES, isRaw: true };
  const { bytes, nextOffset } = await handle.screen({ signal });
  return { screen: bytes, offset: nextOffset, isRaw: false };
}

/** What is typed, in order, each piece waited for. */
class InputPump {
  readonly #run: TerminalRun;
  readonly #scanner: DetachScanner;
  readonly #resolve: (end: TerminalEnd) => void;
  readonly #reject: (error: unknown) => void;
  #sent: Promise<unknown> = Promise.resolve();

  constructor(run: TerminalRun, resolve: (end: TerminalEnd) => void, reject: (error: unknown) => void) {
    this.#run = run;
    this.#scanner = new DetachScanner(run.detachKey);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Nothing at all: the terminal has ended. */
  typed(bytes: Uint8Array): void {
    if (bytes.length === 0) {
      this.#resolve({ kind: 'hangup' });
      return;
    }
    const { send, isDetached } = this.#scanner.scan(bytes);
    if (!this.#run.readOnly && send.length > 0) this.#send(Buffer.from(send));
    // Who only looks on has no other use for Ctrl+C than to leave.
    const isLeft = isDetached || (this.#run.readOnly && send.includes(CTRL_C));
    if (isLeft) void within(LAST_WORDS_MS, this.#sent).then(() => this.#resolve({ kind: 'detach' }));
  }

  #send(bytes: Uint8Array): void {
    this.#sent = this.#sent.then(() => this.#run.handle.write(bytes));
    this.#sent.catch(this.#reject);
  }
}

/** The session gets the terminal's size: one call at a time, the last size wins. */
class SizeSync {
  readonly #handle: SessionHandle;
  readonly #size: () => TerminalSize;
  #isBusy = false;
  #isStale = false;

  constructor(handle: SessionHandle, size: () => TerminalSize) {
    this.#handle = handle;
    this.#size = size;
  }

  async changed(): Promise<void> {
    this.#isStale = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.#handle.resize(this.#size());
      }
    } finally {
      this.#isBusy = false;
    }
  }
}

/** Resolves with the end of `promise`, whichever it is, or after `ms`. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.allSettled([promise]), timeout]);
  clearTimeout(timer);
}
