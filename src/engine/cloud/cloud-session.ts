/**
 * One client's hold on a session in the cloud: a connection that is made when it is needed and made again when
 * it is lost. Letting go of it ends nothing; the session was told to go on (`max_run_after_disconnect`).
 */
import { quote } from '../../contract/names.ts';
import type { Session } from '../../contract/schemas.ts';
import { WreckitError } from '../../errors.ts';
import type {
  OutputChunk,
  OutputRequest,
  OutputStream,
  SessionExit,
  SessionHandle,
  TerminalSize,
  Waiting,
} from '../engine.ts';
import type { ApiChannel } from './api-channel.ts';
import { type SessionInfoFrame, stdinEndFrame, stdinFrame } from './exec-frames.ts';
import { type Attached, OutputReader, type Positions, type ReaderOptions } from './output-reader.ts';

export interface CloudSessionOptions {
  readonly sprite: string;
  readonly tty: boolean;
  /** It takes input. */
  readonly stdin: boolean;
  /** The connection that started it, and what it said first; absent: one is made when it is needed. */
  readonly started?: Attached | undefined;
  readonly session: Session;
  /** False: the server tells no offsets, or it is not known yet. */
  readonly hasOffsets: boolean;
  readonly attach: ReaderOptions['attach'];
  /** As the server or, where it forgets, this machine knows it. */
  readonly look: (signal?: AbortSignal) => Promise<Session>;
  readonly onExit: (exit: SessionExit | 'lost') => void;
  readonly onNotice: (text: string) => void;
  readonly resumeMs?: number | undefined;
}

const BOTH: readonly OutputStream[] = ['stdout', 'stderr'];
/** One frame: small enough that keystrokes and signals get in between. */
const STDIN_FRAME_BYTES = 64 * 1024;
/** What is looked back at where the end can't be asked for. */
const SCROLLBACK_QUIET_MS = 750;
const EOT = 4;

export class CloudSession implements SessionHandle {
  readonly tty: boolean;
  readonly #options: CloudSessionOptions;
  #session: Session;
  /** The one that has begun and is not read to its end. */
  #reader: OutputReader | null = null;
  #channel: ApiChannel | null = null;
  #exit: SessionExit | null = null;
  #input: 'untouched' | 'begun' | 'ended' | 'arrived' = 'untouched';
  /** Set by whoever stopped it for taking too long. */
  #isTimedOut = false;
  #isDisposed = false;

  constructor(options: CloudSessionOptions) {
    this.#options = options;
    this.tty = options.tty;
    this.#session = options.session;
    if (options.started === undefined) return;
    const { channel } = options.started;
    this.#channel = channel;
    this.#reader = new OutputReader(this.#readerOptions(), channel, null, options.hasOffsets);
  }

  get id(): string {
    return this.#session.id;
  }

  noteTimeout(): void {
    this.#isTimedOut = true;
  }

  async info(): Promise<Session> {
    this.#session = await this.#options.look();
    return this.#session;
  }

  async *output(request: OutputRequest = {}): AsyncGenerator<OutputChunk> {
    const { streams = BOTH, follow = false, signal } = request;
    const limits = follow ? null : await this.#ends(signal);
    const reader = await this.#readerAt(request, signal);
    this.#reader = reader;
    const isDone = (): boolean =>
      limits !== null && BOTH.every((stream) => reader.positions[stream] >= limits[stream]);
    while (!isDone()) {
      const event = await this.#next(reader, limits === null ? null : SCROLLBACK_QUIET_MS, signal);
      if (event === null) return;
      if (event.kind === 'exit') return this.#ended(event.exit);
      const { stream, offset, bytes, droppedBytes } = event;
      if (!streams.includes(stream)) continue;
      const most = limits === null ? bytes.length : Math.max(0, limits[stream] - offset);
      if (most > 0 || droppedBytes > 0)
        yield { stream, offset, bytes: bytes.subarray(0, most), droppedBytes };
    }
    reader.close();
    this.#reader = null;
  }

  async exit({ signal }: Waiting = {}): Promise<SessionExit> {
    if (this.#exit !== null) return this.#exit;
    const reader = this.#reader ?? (await this.#readerAt({}, signal));
    this.#reader = reader;
    while (this.#exit === null) {
      const event = await this.#next(reader, null, signal);
      if (event?.kind === 'exit') this.#ended(event.exit);
    }
    return this.#exit;
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#exit !== null) return false;
    if (bytes.length > 0 && this.#input === 'untouched') this.#input = 'begun';
    for (let start = 0; start < bytes.length; start += STDIN_FRAME_BYTES) {
      const part = bytes.subarray(start, start + STDIN_FRAME_BYTES);
      const channel = await this.#connected();
      if (!(await channel.send(this.tty ? Buffer.from(part) : stdinFrame(part)))) {
        // With a terminal what was typed into a broken line is gone, as it is in any terminal.
        if (!this.tty) return false;
      }
    }
    return true;
  }

  async closeStdin(): Promise<void> {
    if (this.#exit !== null) return;
    const channel = await this.#connected();
    this.#input = 'ended';
    await channel.send(this.tty ? Buffer.of(EOT) : stdinEndFrame());
    // Once the server has answered something sent after it, it has all of it.
    void channel.settled().then((isSafe) => {
      if (isSafe) this.#input = 'arrived';
    });
  }

  async resize({ cols, rows }: TerminalSize): Promise<void> {
    if (this.#exit !== null || !this.tty) return;
    const channel = await this.#connected();
    await channel.send(JSON.stringify({ type: 'resize', cols, rows }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#reader?.close();
    this.#channel?.close();
  }

  async #next(reader: OutputReader, quietMs: number | null, signal?: AbortSignal) {
    try {
      if (quietMs === null || this.#options.hasOffsets) return await reader.next(signal);
      return await reader.nextWithin(quietMs, signal);
    } catch (thrown) {
      if (thrown instanceof WreckitError && thrown.code === 'SESSION_LOST') this.#options.onExit('lost');
      throw thrown;
    }
  }

  #ended(exit: SessionExit): void {
    this.#exit = this.#isTimedOut ? { ...exit, timedOut: true } : exit;
    this.#reader = null;
    this.#options.onExit(this.#exit);
  }

  /** The connection there is, or one more. */
  async #connected(): Promise<ApiChannel> {
    if (this.#channel?.isOpen) return this.#channel;
    // Who reads the output connects again; without a reader this is the first to need a connection.
    if (this.#reader === null) this.#reader = await this.#readerAt({ stdoutFrom: -1 });
    const channel = this.#channel;
    if (channel === null)
      throw new WreckitError('SPRITE_EXEC_FAILED', `session ${quote(this.id)}: no connection`);
    return channel;
  }

  /** From the places asked for: the reader there is when it stands there, else a new one. */
  async #readerAt(
    { stdoutFrom = 0, stderrFrom = 0 }: OutputRequest,
    signal?: AbortSignal,
  ): Promise<OutputReader> {
    const current = this.#reader;
    const isThere = (from: number, stream: OutputStream): boolean =>
      current !== null && (from < 0 || current.positions[stream] === from);
    if (current !== null && isThere(stdoutFrom, 'stdout') && (isThere(stderrFrom, 'stderr') || this.tty))
      return current;
    current?.close();
    const reader = new OutputReader(this.#readerOptions(), null, null, this.#options.hasOffsets);
    await reader.begin(await this.#placeOf(stdoutFrom, stderrFrom, signal), signal);
    return reader;
  }

  /** Null: what the server shows an attaching client first, a terminal's screen or the end of the output. */
  async #placeOf(stdoutFrom: number, stderrFrom: number, signal?: AbortSignal): Promise<Positions | null> {
    if (stdoutFrom >= 0 && stderrFrom >= 0) return { stdout: stdoutFrom, stderr: stderrFrom };
    if (this.tty || !this.#options.hasOffsets) return null;
    const { stdout_bytes: stdout, stderr_bytes: stderr } = await this.#options.look(signal);
    const from = (wanted: number, end: number): number => (wanted < 0 ? Math.max(0, end + wanted) : wanted);
    return { stdout: from(stdoutFrom, stdout), stderr: from(stderrFrom, stderr) };
  }

  /** Where the output ends now; where the server can't say, far away. */
  async #ends(signal?: AbortSignal): Promise<Positions> {
    if (!this.#options.hasOffsets)
      return { stdout: Number.MAX_SAFE_INTEGER, stderr: Number.MAX_SAFE_INTEGER };
    const { stdout_bytes: stdout, stderr_bytes: stderr } = await this.#options.look(signal);
    return { stdout, stderr };
  }

  #readerOptions(): ReaderOptions {
    const { sprite, tty, attach, look, onNotice, resumeMs } = this.#options;
    return {
      sprite,
      sessionId: () => this.id,
      tty,
      attach,
      findExit: async (signal) => {
        const { state, exit_code: exitCode, signal: name } = await look(signal);
        return state === 'exited' && exitCode !== null ? { exitCode, signal: name, timedOut: false } : null;
      },
      beforeResume: () => this.#assertInputSafe(),
      onChannel: (channel) => {
        this.#channel = channel;
        if (this.#isDisposed) channel.close();
      },
      onNotice,
      resumeMs,
    };
  }

  /** Input that was on its way may have arrived in part: going on would feed the command something else. */
  #assertInputSafe(): void {
    if (this.tty || this.#input === 'untouched' || this.#input === 'arrived') return;
    const { sprite } = this.#options;
    throw new WreckitError(
      'SESSION_LOST',
      `session ${quote(this.id)} of sprite ${quote(sprite)}: the connection was lost while its input was on its way`,
      {
        hint: `how much of the input arrived is not known; see whether it still runs: wisp sessions ${sprite}`,
        details: { state: 'unknown', exit_code: null, session_id: this.id },
      },
    );
  }
}

export function sessionOfInfo(info: SessionInfoFrame, facts: Partial<Session>): Session {
  return {
    id: info.sessionId,
    command: info.command === '' ? [] : [info.command],
    dir: '/home/sprite',
    user: 'sprite',
    tty: info.tty,
    state: 'running',
    exit_code: null,
    signal: null,
    created_at: info.createdAt ?? new Date().toISOString(),
    exited_at: null,
    stdout_bytes: 0,
    stderr_bytes: 0,
    stdout_start: 0,
    stderr_start: 0,
    cols: info.cols || null,
    rows: info.rows || null,
    ...facts,
  };
}
