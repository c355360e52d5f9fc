/** Event lines of wisp on their way to stdout. A failure comes as a document instead of the first line. */

import { verbOf, type WispCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { OutputPort } from '../../cli/io.ts';
import { failureOf } from '../../contract/failure.ts';
import { tryParseObject } from '../../contract/json-value.ts';

const NEWLINE = 0x0a;
/** An error document is far shorter; a longer first line is an event. */
const MAX_FAILURE_BYTES = 256 * 1024;

export class EventLines {
  readonly #port: OutputPort;
  readonly #command: WispCommand;
  readonly #onClosed: () => void;
  /** The first line as far as it came; null once it was seen not to be a failure. */
  #first: Buffer | null = Buffer.alloc(0);

  /** `onClosed`: nobody reads the lines any more. */
  constructor(port: OutputPort, command: WispCommand, onClosed: () => void) {
    this.#port = port;
    this.#command = command;
    this.#onClosed = onClosed;
  }

  readonly sink = async (chunk: Uint8Array): Promise<void> => {
    if (this.#first === null) return await this.#write(chunk);
    this.#first = Buffer.concat([this.#first, chunk]);
    const isWhole = this.#first.includes(NEWLINE) || this.#first.length > MAX_FAILURE_BYTES;
    if (isWhole && this.#failure(null) === undefined) await this.#flush();
  };

  /** To be called when wisp has ended. Throws the failure it reported. */
  async end(exitCode: number): Promise<void> {
    const failure = this.#failure(exitCode);
    if (failure !== undefined) throw failure;
    await this.#flush();
  }

  #failure(exitCode: number | null): Error | undefined {
    const document = this.#first === null ? undefined : tryParseObject(this.#first.toString('utf8'));
    const isEvent = document === undefined || 'type' in document;
    return isEvent ? undefined : failureOf(document, verbOf(this.#command), exitCode);
  }

  async #flush(): Promise<void> {
    const first = this.#first;
    this.#first = null;
    if (first !== null && first.length > 0) await this.#write(first);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!(await this.#port.write(bytes))) this.#onClosed();
  }
}
