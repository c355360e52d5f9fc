/** One interpreter inside a sprite: a program started there, messages to and from it, and how it ended. */
import { randomBytes } from 'node:crypto';
import { quote } from '../../../contract/names.ts';
import { printable } from '../../../contract/printable.ts';
import { toWreckitError, WreckitError } from '../../../errors.ts';
import { decodeUtf8 } from '../../../process/text.ts';
import type { SpriteCapture } from '../../wisp-client/wisp-client.ts';
import { ByteQueue } from './byte-queue.ts';
import type { CodeLanguage, InterpreterPlace } from './code-language.ts';
import { LineSplitter } from './line-splitter.ts';
import { type FromSupervisor, parseLine, type ToSupervisor } from './wire.ts';

/** Of one line from it: what is printed and returned is shortened there, arguments of calls are not. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Of what one run of code prints and returns. Ax shows the model less of it. */
const MAX_OUTPUT_CHARS = 100_000;
const TAIL_BYTES = 4096;

export class InterpreterProcess implements AsyncDisposable {
  /** Settles with the first message; rejects when it could not be started, or ended before. */
  readonly ready: Promise<void>;
  /** Resolves with why it is gone, for people. */
  readonly ended: Promise<string>;
  readonly #nonce = randomBytes(16).toString('hex');
  readonly #input = new ByteQueue();
  readonly #stop = new AbortController();
  readonly #place: InterpreterPlace;
  readonly #language: CodeLanguage;
  /** Called for every message but the first and the last. Until a promise settles no more is read. */
  onMessage: (message: FromSupervisor) => void | Promise<void> = () => undefined;
  #lastWords: Extract<FromSupervisor, { type: 'ended' }> | null = null;
  #isReady = false;
  #said = '';
  #settleReady: () => void = () => undefined;

  constructor(place: InterpreterPlace, language: CodeLanguage) {
    this.#place = place;
    this.#language = language;
    const begun = new Promise<void>((resolve) => {
      this.#settleReady = resolve;
    });
    const exit = this.#run();
    this.ended = exit.then(
      (done) => this.#reasonOf(done),
      (error: unknown) => toWreckitError(error).message,
    );
    this.ready = Promise.race([
      begun,
      exit.then((done) => {
        throw this.#notStarted(done);
      }),
    ]);
    // Told to who waits for it; a start nobody waits for any more has no one to tell.
    this.ready.catch(() => undefined);
  }

  send(message: ToSupervisor): void {
    this.#input.push(Buffer.from(`${JSON.stringify(message)}\n`));
  }

  /** Ends it, at once, with all it has started. Resolves when nothing of it is left here. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#input.close();
    await this.ended;
  }

  async #run(): Promise<SpriteCapture> {
    const { client, sprite, dir } = this.#place;
    const lines = new LineSplitter(MAX_LINE_BYTES);
    const { signal } = this.#stop;
    this.send({
      type: 'hello',
      nonce: this.#nonce,
      evaluator: this.#language.evaluator,
      maxChars: MAX_OUTPUT_CHARS,
    });
    return await client.execCapture(sprite, this.#language.argv, {
      dir,
      stdin: this.#input,
      stdout: async (chunk) => {
        await Promise.all(lines.add(chunk).map((line) => this.#take(line)));
      },
      stderr: (chunk) => {
        this.#said = (this.#said + decodeUtf8(chunk)).slice(-TAIL_BYTES);
      },
      timeoutMs: 0,
      signal,
    });
  }

  #take(line: string): void | Promise<void> {
    const message = parseLine(line, this.#nonce);
    if (message === null || this.#stop.signal.aborted) return;
    if (message.type === 'ended') this.#lastWords = message;
    else if (message.type !== 'ready') return this.onMessage(message);
    else {
      this.#isReady = true;
      this.#settleReady();
    }
  }

  #reasonOf({ exitCode }: SpriteCapture): string {
    if (this.#lastWords === null) return `it ended with exit code ${exitCode}${this.#tail(this.#said)}`;
    const { code, signal, printed } = this.#lastWords;
    const how = signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
    const why = signal === 'SIGKILL' ? ', perhaps for want of memory' : '';
    return `${how}${why}${this.#tail(printed)}`;
  }

  #tail(text: string): string {
    const last = printable(text.trim().split('\n').slice(-3).join(' ')).slice(-300);
    return last === '' ? '' : `: ${last}`;
  }

  #notStarted(done: SpriteCapture): WreckitError {
    const sprite = quote(this.#place.sprite);
    if (this.#isReady) return new WreckitError('SPRITE_EXEC_FAILED', this.#reasonOf(done));
    return new WreckitError(
      'SPRITE_EXEC_FAILED',
      `start the interpreter in sprite ${sprite}: ${this.#reasonOf(done)}`,
      {
        hint: 'its code needs Node.js 18 or newer: see what the sprite has with exec NAME -- node --version',
      },
    );
  }
}
