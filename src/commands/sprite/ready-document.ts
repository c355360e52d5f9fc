/** The document by which a wisp that goes on says that it is ready; a failure comes in its place. */
import { verbOf, type WispCommand } from '../../agent/wisp-client/wisp-command.ts';
import type { OutputPort } from '../../cli/io.ts';
import { failureOf } from '../../contract/failure.ts';
import { isObject, tryParseObject } from '../../contract/json-value.ts';
import { protocolError } from '../../contract/parse.ts';

const NEWLINE = 0x0a;
const MAX_DOCUMENT_BYTES = 1024 * 1024;

export class ReadyDocument {
  readonly #port: OutputPort;
  readonly #command: WispCommand;
  readonly #show: (data: unknown) => string;
  readonly #onClosed: () => void;
  #said = Buffer.alloc(0);
  #isReady = false;

  /** `onClosed`: nobody reads what is shown. */
  constructor(port: OutputPort, command: WispCommand, show: (data: unknown) => string, onClosed: () => void) {
    this.#port = port;
    this.#command = command;
    this.#show = show;
    this.#onClosed = onClosed;
  }

  readonly sink = async (chunk: Uint8Array): Promise<void> => {
    if (this.#isReady || this.#said.length > MAX_DOCUMENT_BYTES) return;
    this.#said = Buffer.concat([this.#said, chunk]);
    if (!this.#said.includes(NEWLINE)) return;
    const document = this.#document();
    if (!isObject(document) || document.success !== true) return;
    this.#isReady = true;
    if (!(await this.#port.write(this.#show(document.data)))) this.#onClosed();
  };

  /** To be called when wisp has ended. Throws the failure it reported, `WISP_PROTOCOL`. */
  async end(exitCode: number): Promise<void> {
    if (this.#isReady) return;
    const verb = verbOf(this.#command);
    throw (
      failureOf(this.#document() ?? {}, verb, exitCode) ?? protocolError(verb, 'it ended without an answer')
    );
  }

  #document(): object | undefined {
    return tryParseObject(this.#said.toString('utf8'));
  }
}
