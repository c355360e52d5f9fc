/** A stream of events on stdout, one JSON document per line, numbered and dated. */
import type { Io } from '../cli/io.ts';
import { failureError } from '../cli/output.ts';
import type { VerbResult } from '../cli/verb.ts';
import { failureDocument } from '../contract/envelope.ts';

export class EventLines {
  readonly #io: Io;
  #seq = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** False: nobody reads any more. */
  write(type: string, fields: object): Promise<boolean> {
    this.#seq += 1;
    const line = { type, seq: this.#seq, time: new Date().toISOString(), ...fields };
    return this.#io.stdout.write(`${JSON.stringify(line)}\n`);
  }

  /** Ends the stream with a line on why, also when it was interrupted. Before the first line, a failure is thrown. */
  async fail(verb: string, thrown: unknown, signal: AbortSignal): Promise<VerbResult> {
    if (this.#seq === 0 || this.#io.stdout.closed.aborted) throw thrown;
    const error = failureError(verb, thrown, signal);
    await this.write('error', { error: failureDocument(verb, error).error });
    return { exitCode: error.exitCode };
  }
}
