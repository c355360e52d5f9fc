/**
 * The outside world of a program: streams, environment, working directory. Made once per program
 * (`processIo`) and passed down, so that every verb can be run in a test with streams of its own.
 */
import type { Readable } from 'node:stream';
import { errnoOf, WreckitError } from '../errors.ts';

export interface OutputPort {
  readonly isTty: boolean;
  /** Width of the terminal; null where the output is no terminal and lines may be of any length. */
  readonly columns: number | null;
  /** Aborted once the reader is gone (EPIPE): whoever produces output for it can stop. */
  readonly closed: AbortSignal;
  /** Resolves when the bytes are out. False: nobody reads any more. Awaiting it is the back-pressure. */
  write(chunk: string | Uint8Array): Promise<boolean>;
}

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputPort;
  readonly stderr: OutputPort;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isStdinTty: boolean;
}

/** The errors of a stream whose reader went away: nothing to report, nobody to report it to. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'EIO']);

class StreamPort implements OutputPort {
  readonly #stream: NodeJS.WriteStream;
  readonly #controller = new AbortController();
  #failure: unknown = null;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on('error', (error: unknown) => this.#fail(error));
  }

  get isTty(): boolean {
    return this.#stream.isTTY === true;
  }

  get columns(): number | null {
    return this.isTty ? (this.#stream.columns ?? 80) : null;
  }

  get closed(): AbortSignal {
    return this.#controller.signal;
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    if (this.closed.aborted) return this.#outcome();
    return new Promise((resolve, reject) => {
      this.#stream.write(chunk, (error) => {
        if (error) this.#fail(error);
        this.#outcome().then(resolve, reject);
      });
    });
  }

  #fail(error: unknown): void {
    if (!READER_GONE.has(errnoOf(error) ?? '')) this.#failure ??= error;
    this.#controller.abort();
  }

  /** A full disk behind a redirection is an error to report; a reader that left is not. */
  #outcome(): Promise<boolean> {
    if (this.#failure !== null) {
      const reason = errnoOf(this.#failure) ?? String(this.#failure);
      return Promise.reject(
        new WreckitError('INTERNAL', `output: it can not be written: ${reason}`, {
          hint: 'see where the output goes: is the disk full?',
          cause: this.#failure,
        }),
      );
    }
    return Promise.resolve(!this.closed.aborted);
  }
}

/** The real process. The streams are opened on first use: opening them costs start-up. */
export function processIo(): Io {
  let stdout: OutputPort | undefined;
  let stderr: OutputPort | undefined;
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      stdout ??= new StreamPort(process.stdout);
      return stdout;
    },
    get stderr() {
      stderr ??= new StreamPort(process.stderr);
      return stderr;
    },
    env: process.env,
    cwd: process.cwd(),
    get isStdinTty() {
      return process.stdin.isTTY === true;
    },
  };
}
