/** A stream of events on stdout, one JSON document per line, numbered and dated. */
import type { Io } from '../cli/io.ts';

export class EventLines {
  readonly #io: Io;
  #seq = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Lines written so far. */
  get count(): number {
    return this.#seq;
  }

  /** False: nobody reads any more. */
  write(type: string, fields: object): Promise<boolean> {
    this.#seq += 1;
    const line = { type, seq: this.#seq, time: new Date().toISOString(), ...fields };
    return this.#io.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
