import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';
import { TOOL_ENV } from '../tools.ts';

/**
 * Opened for reading too at first: to open the end for writing alone waits for ever where nobody reads. Until then 3,
 * which is ours, keeps the session from seeing the end of its input, should we let go of it meanwhile.
 */
const FEEDER = 'exec 5<>"$1" 6>"$1" 5<&- 3>&-; exec cat >&6 6>&-';

/**
 * The writing end of a session's stdin. Small input goes straight into the fifo; once it is full the rest
 * goes through a `cat`, whose pipe tells when there is room (neither runtime can wait for a fifo).
 */
export class StdinWriter {
  readonly #path: string;
  #fd: number | null;
  #feeder: ChildProcess | null = null;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** null: nobody reads. */
  static open(path: string): StdinWriter | null {
    try {
      return new StdinWriter(path, openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      if (['ENXIO', 'ENOENT'].includes(errnoOf(error) ?? '')) return null;
      throw error;
    }
  }

  /** Resolves when the bytes are taken; false: nobody reads any more. */
  async write(bytes: Uint8Array): Promise<boolean> {
    let rest = bytes;
    while (this.#fd !== null && this.#feeder === null && rest.length > 0) {
      const written = writeSome(this.#fd, rest);
      if (written === 'gone') return false;
      if (written === 'full') this.#feeder = this.#startFeeder(this.#fd);
      else rest = rest.subarray(written);
    }
    if (this.#fd === null) return false;
    return rest.length === 0 || (await this.#feed(rest));
  }

  /** Resolves when what was written is on its way; the session then sees the end of its input. */
  async close(): Promise<void> {
    const feeder = this.#feeder;
    if (feeder?.stdin && feeder.exitCode === null && feeder.signalCode === null) {
      const { stdin } = feeder;
      await new Promise<void>((resolve) => {
        stdin.once('close', resolve);
        stdin.end(resolve);
      });
    }
    this.abandon();
  }

  /** Lets go without waiting for a reader that is slow. */
  abandon(): void {
    // What the feeder still has it delivers on its own.
    this.#feeder?.stdin?.end();
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #startFeeder(fd: number): ChildProcess {
    const feeder = spawn('/bin/sh', ['-c', FEEDER, 'wisp-stdin', this.#path], {
      cwd: '/',
      // A group of its own: Ctrl+C in the client's terminal is not for it.
      detached: true,
      env: TOOL_ENV,
      stdio: ['pipe', 'ignore', 'ignore', fd],
    });
    // The end shows in each write's own callback.
    feeder.on('error', () => undefined);
    feeder.stdin?.on('error', () => undefined);
    feeder.unref();
    return feeder;
  }

  #feed(bytes: Uint8Array): Promise<boolean> {
    const stdin = this.#feeder?.stdin;
    if (!stdin || stdin.destroyed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onClose = (): void => resolve(false);
      stdin.once('close', onClose);
      stdin.write(bytes, (error) => {
        stdin.off('close', onClose);
        resolve(!error);
      });
    });
  }
}

function writeSome(fd: number, bytes: Uint8Array): number | 'full' | 'gone' {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EAGAIN') return 'full';
    if (errno === 'EPIPE') return 'gone';
    throw error;
  }
}
