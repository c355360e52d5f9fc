/**
 * The output of one session from a place on, over as many connections as it takes.
 *
 *   connected ──▶ output, output, … ──▶ exit
 *       │ the connection ends without an exit: it is lost, whatever the close code says
 *       ▼
 *   again, with a pause that grows ──▶ attach at the offset (servers that have it), else by what they repeat
 *       │ the session is no longer there, or RESUME_MS passed without a byte
 *       ▼
 *   SESSION_LOST: how it ended is not known, and no exit code is made up
 */
import { quote } from '../../contract/names.ts';
import { toWreckitError, WreckitError } from '../../errors.ts';
import { pause } from '../../process/abort.ts';
import type { OutputStream, SessionExit } from '../engine.ts';
import type { ApiChannel } from './api-channel.ts';
import { type ExecEvent, execEvent, type SessionInfoFrame } from './exec-frames.ts';
import { type Continuation, Overlap, Tail } from './overlap.ts';

export interface ReadOutput {
  readonly kind: 'output';
  readonly stream: OutputStream;
  readonly offset: number;
  readonly bytes: Buffer;
  readonly droppedBytes: number;
}
export type ReadEvent = ReadOutput | { readonly kind: 'exit'; readonly exit: SessionExit };

export type Positions = Record<OutputStream, number>;

export interface ReaderOptions {
  readonly sprite: string;
  readonly sessionId: () => string;
  readonly tty: boolean;
  /** Attaches; at these offsets where they are given. */
  readonly attach: (at: Positions | null, signal?: AbortSignal) => Promise<Attached>;
  /** How a session ended that can't be attached to any more; null: nobody knows. */
  readonly findExit: (signal?: AbortSignal) => Promise<SessionExit | null>;
  /** Throws when going on would lose something, such as input under way. */
  readonly beforeResume: () => void;
  readonly onChannel: (channel: ApiChannel) => void;
  readonly onNotice: (text: string) => void;
  /** How long a lost connection is tried again without any progress; 60 s when absent. */
  readonly resumeMs?: number | undefined;
}

export interface Attached {
  readonly channel: ApiChannel;
  readonly info: SessionInfoFrame;
}

const RESUME_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** A server that takes the connection and ends it without a word is not asked for ever. */
const MAX_EMPTY_RESUMES = 4;
/** A server that repeats what there was is done when nothing more has come for this long. */
const QUIET_MS = 750;
/** After the exit code: the signal and the cause, where the server knows them. */
const LAST_WORDS_MS = 300;
const NO_EXIT_STATUS = 1011;

export class OutputReader {
  readonly #options: ReaderOptions;
  readonly #at: Positions;
  readonly #tails: Record<OutputStream, Tail> = { stdout: new Tail(), stderr: new Tail() };
  readonly #overlaps = new Map<OutputStream, Overlap>();
  readonly #dropped: Positions = { stdout: 0, stderr: 0 };
  readonly #ready: ReadOutput[] = [];
  #channel: ApiChannel | null;
  /** False: the server tells no offsets. */
  #hasOffsets: boolean;
  #complaint: string | null = null;
  #emptyResumes = 0;
  #exit: SessionExit | null = null;

  /** From a connection that has just begun, or (`channel` null) from `at`; `at` null: what the server shows first. */
  constructor(options: ReaderOptions, channel: ApiChannel | null, at: Positions | null, hasOffsets: boolean) {
    this.#options = options;
    this.#channel = channel;
    this.#at = at ?? { stdout: 0, stderr: 0 };
    this.#hasOffsets = hasOffsets;
  }

  /** Where the next byte of each stream is. */
  get positions(): Readonly<Positions> {
    return this.#at;
  }

  /** Attaches for the first time. */
  async begin(at: Positions | null, signal?: AbortSignal): Promise<void> {
    const { channel, info } = await this.#options.attach(at, signal);
    this.#connected(channel, info);
    if (info.stdoutOffset !== null) this.#at.stdout = info.stdoutOffset;
    if (info.stderrOffset !== null) this.#at.stderr = info.stderrOffset;
  }

  /** Output, then the exit, then the exit again. Throws `SESSION_LOST`. */
  async next(signal?: AbortSignal): Promise<ReadEvent> {
    for (;;) {
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      if (this.#exit !== null) return { kind: 'exit', exit: this.#exit };
      const event = await this.#event(signal);
      if (event === null) this.#giveUpOverlaps();
      else await this.#take(event, signal);
    }
  }

  /** Null: nothing has come for so long. */
  async nextWithin(ms: number, signal?: AbortSignal): Promise<ReadEvent | null> {
    const late = AbortSignal.timeout(ms);
    try {
      return await this.next(signal === undefined ? late : AbortSignal.any([late, signal]));
    } catch (thrown) {
      signal?.throwIfAborted();
      if (late.aborted) return null;
      throw thrown;
    }
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  /** Null: quiet, while what the server repeats is looked through. */
  async #event(signal?: AbortSignal): Promise<ExecEvent | null> {
    const channel = this.#channel ?? (await this.#resume(signal));
    const isSearching = this.#overlaps.size > 0;
    const message = isSearching ? await channel.nextWithin(QUIET_MS, signal) : await channel.next(signal);
    return message === null ? null : execEvent(message, this.#options.tty);
  }

  async #take(event: ExecEvent, signal?: AbortSignal): Promise<void> {
    switch (event.kind) {
      case 'output':
        this.#emptyResumes = 0;
        return this.#output(event.stream, event.bytes);
      case 'dropped':
        this.#dropped[event.stream] += event.bytes;
        return;
      case 'exit':
        this.#giveUpOverlaps();
        this.#exit = event.isFull ? event.exit : await this.#lastWords(event.exit, signal);
        return this.close();
      case 'error':
        this.#complaint = event.message;
        return;
      case 'end':
        this.#giveUpOverlaps();
        return this.#ended(event.code, event.reason);
    }
  }

  #output(stream: OutputStream, bytes: Buffer): void {
    const overlap = this.#overlaps.get(stream);
    const found = overlap?.push(bytes);
    if (overlap === undefined) this.#deliver(stream, bytes);
    else if (found) this.#found(stream, found);
  }

  #deliver(stream: OutputStream, bytes: Buffer): void {
    const droppedBytes = this.#dropped[stream];
    this.#dropped[stream] = 0;
    const offset = this.#at[stream] + droppedBytes;
    this.#at[stream] = offset + bytes.length;
    if (!this.#hasOffsets) this.#tails[stream].push(bytes);
    if (bytes.length > 0 || droppedBytes > 0)
      this.#ready.push({ kind: 'output', stream, offset, bytes, droppedBytes });
  }

  #found(stream: OutputStream, { bytes, isExact }: Continuation): void {
    this.#overlaps.delete(stream);
    if (!isExact && bytes.length > 0) {
      const { sprite, sessionId, onNotice } = this.#options;
      onNotice(
        `the connection to session ${sessionId()} of ${sprite} was lost at byte ${this.#at[stream]} of its ${stream}; ` +
          'from there on output may be missing or repeated: the server cannot say',
      );
    }
    this.#deliver(stream, bytes);
  }

  #giveUpOverlaps(): void {
    for (const [stream, overlap] of [...this.#overlaps]) this.#found(stream, overlap.giveUp());
  }

  async #lastWords(exit: SessionExit, signal?: AbortSignal): Promise<SessionExit> {
    if (!this.#hasOffsets) return exit;
    const message = await this.#channel?.nextWithin(LAST_WORDS_MS, signal);
    const event = message ? execEvent(message, this.#options.tty) : null;
    return event?.kind === 'exit' ? event.exit : exit;
  }

  #ended(code: number | null, reason: string): void {
    this.#channel = null;
    if (code === NO_EXIT_STATUS && reason === 'no exit status') {
      throw this.#lost('it ended without an exit status');
    }
    this.#emptyResumes += 1;
    if (this.#emptyResumes > MAX_EMPTY_RESUMES) {
      const said = this.#complaint === null ? '' : ` (${this.#complaint})`;
      throw this.#lost(
        `the server ended the connection ${this.#emptyResumes} times without saying how it ended${said}`,
      );
    }
    this.#options.beforeResume();
  }

  async #resume(signal?: AbortSignal): Promise<ApiChannel> {
    const { attach, tty, resumeMs = RESUME_MS } = this.#options;
    const giveUpAt = performance.now() + resumeMs;
    for (let waitMs = FIRST_PAUSE_MS * 2 ** Math.max(0, this.#emptyResumes - 1); ; waitMs *= 2) {
      await pause(Math.min(waitMs, LONGEST_PAUSE_MS), signal);
      try {
        const { channel, info } = await attach(this.#hasOffsets ? { ...this.#at } : null, signal);
        this.#connected(channel, info);
        if (!this.#hasOffsets && !tty) {
          for (const stream of ['stdout', 'stderr'] as const) {
            this.#overlaps.set(stream, new Overlap(this.#tails[stream]));
          }
        }
        return channel;
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = toWreckitError(thrown);
        if (GONE.has(error.code)) return await this.#gone(error, signal);
        const isWorthRepeating =
          error.retryable || error.code === 'TIMEOUT' || error.code === 'ENGINE_UNAVAILABLE';
        if (!isWorthRepeating || performance.now() > giveUpAt) throw this.#lost(error.message, error);
      }
    }
  }

  #connected(channel: ApiChannel, { stdoutOffset }: SessionInfoFrame): void {
    this.#channel = channel;
    this.#hasOffsets = stdoutOffset !== null;
    this.#options.onChannel(channel);
  }

  /** It ended meanwhile. Where the server kept how, that is the answer; its last output is not to be had. */
  async #gone(cause: WreckitError, signal?: AbortSignal): Promise<never> {
    const exit = await this.#options.findExit(signal).catch(() => null);
    const how =
      exit === null
        ? 'it is not known how'
        : `with exit code ${exit.exitCode}, its last output is not to be had`;
    throw this.#lost(`it ended while the connection was lost, ${how}`, cause, exit);
  }

  #lost(problem: string, cause?: WreckitError, exit: SessionExit | null = null): WreckitError {
    const { sprite, sessionId } = this.#options;
    return new WreckitError(
      'SESSION_LOST',
      `session ${quote(sessionId())} of sprite ${quote(sprite)}: ${problem}`,
      {
        hint: `see whether it still runs: wisp sessions ${sprite}`,
        details: {
          state: exit === null ? 'unknown' : 'exited',
          exit_code: exit?.exitCode ?? null,
          session_id: sessionId(),
          stdout_offset: this.#at.stdout,
          stderr_offset: this.#at.stderr,
          ...(cause === undefined ? {} : { cause: cause.code }),
        },
        cause,
      },
    );
  }
}

const GONE = new Set(['SESSION_NOT_FOUND', 'SPRITE_NOT_FOUND', 'SESSION_LOST']);
