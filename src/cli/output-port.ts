/**
 * Standard output and error, written to as file descriptors: opening `process.stdout` takes longer than most
 * verbs do. It is opened only for a terminal, whose width it knows, and for a descriptor that does not block
 * (`EAGAIN`), whose writes have to wait for the reader.
 */
import { fstatSync, statSync, write } from 'node:fs';
import { errnoOf, WreckitError } from '../errors.ts';

export interface OutputPort {
  readonly isTty: boolean;
  /** Width of the terminal; null where the output is not a terminal and lines may be of any length. */
  readonly columns: number | null;
  /** Aborted once the reader is gone (EPIPE): whoever produces output for it can stop. */
  readonly closed: AbortSignal;
  /** Resolves when the bytes are out. False: nobody reads any more. Awaiting it is the back-pressure. */
  write(chunk: string | Uint8Array): Promise<boolean>;
}

/** The errors of a stream whose reader went away: nothing to report, nobody to report it to. */
const READER_GONE = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'EIO', 'EBADF']);
const WOULD_BLOCK = new Set(['EAGAIN', 'EWOULDBLOCK']);
/** How long a write may go on once the program is to end: a reader that has stopped reading must not keep it. */
const LAST_WRITE_MS = 2000;
const NOTHING_LEFT = new Uint8Array();

type Settle = (rest: Uint8Array) => void;

export class StandardPort implements OutputPort {
  readonly #fd: 1 | 2;
  readonly #openStream: () => NodeJS.WriteStream;
  readonly #controller = new AbortController();
  #stream: NodeJS.WriteStream | undefined;
  #isTty: boolean | undefined;
  #failure: unknown = null;
  /** Ends the write that is under way. */
  #letGo: (() => void) | undefined;
  /** Writes go out in the order they were asked for. */
  #last: Promise<unknown> = Promise.resolve();

  /** `leaving` is aborted when the program is to end. */
  constructor(fd: 1 | 2, openStream: () => NodeJS.WriteStream, leaving: AbortSignal) {
    leaving.addEventListener('abort', () => setTimeout(() => this.#giveUp(), LAST_WRITE_MS).unref());
    this.#fd = fd;
    this.#openStream = openStream;
    // A console of Windows takes text only through its stream.
    if (process.platform === 'win32') this.#open();
  }

  get isTty(): boolean {
    this.#isTty ??= mayBeTty(this.#fd) && this.#open().isTTY === true;
    return this.#isTty;
  }

  get columns(): number | null {
    return this.isTty ? (this.#open().columns ?? 80) : null;
  }

  get closed(): AbortSignal {
    return this.#controller.signal;
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const written = this.#last.then(() => this.#writeAll(bytes));
    this.#last = written.catch(() => undefined); // the caller hears of it
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<boolean> {
    let rest = bytes;
    while (rest.length > 0 && !this.closed.aborted) {
      try {
        rest = await this.#writeSome(rest);
      } catch (error) {
        this.#fail(error);
      }
    }
    if (this.#failure === null) return !this.closed.aborted;
    const reason = errnoOf(this.#failure) ?? String(this.#failure);
    throw new WreckitError('INTERNAL', `output: it cannot be written: ${reason}`, {
      hint: 'see where the output goes: is the disk full?',
      cause: this.#failure,
    });
  }

  /** One system call's worth, or all of it through the stream; resolves with what is left. */
  async #writeSome(bytes: Uint8Array): Promise<Uint8Array> {
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        this.#letGo = () => resolve(NOTHING_LEFT);
        if (this.#stream === undefined) this.#writeToFd(bytes, resolve, reject);
        else this.#stream.write(bytes, (error) => (error ? reject(error) : resolve(NOTHING_LEFT)));
      });
    } finally {
      this.#letGo = undefined;
    }
  }

  #writeToFd(bytes: Uint8Array, resolve: Settle, reject: (error: unknown) => void): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, count) => {
      if (error === null) resolve(bytes.subarray(count));
      else if (WOULD_BLOCK.has(errnoOf(error) ?? '')) {
        this.#open();
        resolve(bytes);
      } else reject(error);
    });
  }

  /** The reader does not read: as good as gone. */
  #giveUp(): void {
    if (this.#letGo === undefined) return;
    this.#controller.abort();
    this.#letGo();
  }

  #open(): NodeJS.WriteStream {
    if (this.#stream === undefined) {
      this.#stream = this.#openStream();
      this.#stream.on('error', (error: unknown) => this.#fail(error));
    }
    return this.#stream;
  }

  /** A full disk behind a redirection is an error to report; a reader that left is not. */
  #fail(error: unknown): void {
    if (!READER_GONE.has(errnoOf(error) ?? '')) this.#failure ??= error;
    this.#controller.abort();
  }
}

/** Without opening anything: terminals are character devices, and so is /dev/null, which is none. */
function mayBeTty(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isCharacterDevice() && stats.rdev !== statSync('/dev/null', { throwIfNoEntry: false })?.rdev;
  } catch {
    return false; // closed: nothing to write to
  }
}
