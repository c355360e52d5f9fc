/**
 * HTTP calls of the Sprites API: one place that knows address, token, deadlines and limits.
 *
 *   ask ─▶ attempt ─▶ answer below 400
 *            ├ 429, 502, 503, 504, no connection: again, when the call may be repeated, for as long as `patienceMs`
 *            ├ 429 for the rate of calls: nothing was done, so that any call is made again
 *            └ anything else: apiFault
 *
 * Redirects are not followed: the token goes where it was meant to go and nowhere else.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { errnoOf, WreckitError } from '../../errors.ts';
import { pause } from '../../process/abort.ts';
import { apiFault, type CallFacts, type Refusal, retryAfterSeconds } from './api-fault.ts';
import type { ApiTarget } from './api-target.ts';
import { ndjson } from './ndjson.ts';

export interface ApiCall extends CallFacts {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base URL, encoded: made with `apiPath`. */
  readonly route: string;
  readonly json?: unknown;
  readonly bytes?: AsyncIterable<Uint8Array> | undefined;
  readonly accept?: string;
  /** Until the headers of the answer are there. */
  readonly timeoutMs?: number | undefined;
  /** The same call twice has the effect of one. */
  readonly canRepeat?: boolean | undefined;
  /** How long it is tried again; the client's own patience when absent. */
  readonly patienceMs?: number | undefined;
  /** Statuses of 400 and above that are answers. */
  readonly expected?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** To be read to its end, or destroyed. */
  readonly stream: IncomingMessage;
}

export interface ApiClientOptions {
  readonly target: ApiTarget;
  /** Null: none is sent. */
  readonly token: string | null;
  /** How long a call that may be repeated is tried again; 20 s when absent. */
  readonly patienceMs?: number | undefined;
  /** What the user should hear: why it takes so long. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

const HEADERS_TIMEOUT_MS = 30_000;
/** No byte of an answer for this long: the connection is dead. */
const BODY_IDLE_MS = 90_000;
const MAX_JSON_BYTES = 16 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;
const PATIENCE_MS = 20_000;
/** A server that is being started again is back in this time; one that isn't there should be said soon. */
const UNSENT_PATIENCE_MS = 2_000;
/** A server that wants more is told to the user, who may have better things to do; a call may say otherwise. */
const LONGEST_WAIT_MS = 10_000;
/** Who waits so long is told why. */
const NOTICED_WAIT_MS = 1_000;
const FIRST_PAUSE_MS = 250;

export class ApiClient {
  readonly target: ApiTarget;
  readonly #token: string | null;
  readonly #patienceMs: number;
  readonly #onNotice: (text: string) => void;
  #extensions: ReadonlySet<string> | null = null;

  constructor({ target, token, patienceMs = PATIENCE_MS, onNotice = () => undefined }: ApiClientOptions) {
    this.target = target;
    this.#token = token;
    this.#patienceMs = patienceMs;
    this.#onNotice = onNotice;
  }

  /** Of every request, WebSocket handshakes included. */
  get headers(): Record<string, string> {
    const auth = this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` };
    return { 'User-Agent': 'wreckit-wisp', ...auth };
  }

  /** What the server does beyond the API, as its answers say; null: none has come yet. */
  get extensions(): ReadonlySet<string> | null {
    return this.#extensions;
  }

  note(headers: IncomingMessage['headers']): void {
    const text = headers['wisp-extensions'];
    this.#extensions = new Set(typeof text === 'string' ? text.split(/\s*,\s*/) : []);
  }

  /** A parsed JSON answer; undefined when it is empty. Throws what `apiFault` makes of a refusal, `ENGINE_UNAVAILABLE`. */
  async json(call: ApiCall): Promise<unknown> {
    const text = (await this.bytes(call, MAX_JSON_BYTES)).toString('utf8');
    if (text.trim() === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.#nonsense(call, 'its answer is no JSON', cause);
    }
  }

  /** The whole body, at most `maxBytes` of it. */
  async bytes(call: ApiCall, maxBytes: number): Promise<Buffer> {
    const { stream } = await this.open(call);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of bodyOf(stream, call)) {
      size += chunk.length;
      if (size > maxBytes) {
        stream.destroy();
        throw this.#nonsense(call, `its answer has more than ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** The bytes as they come. A connection that breaks off is an error, never the end. */
  async *stream(call: ApiCall): AsyncGenerator<Buffer> {
    const { stream } = await this.open(call);
    yield* bodyOf(stream, call);
  }

  /** One parsed document per line. */
  async *lines(call: ApiCall): AsyncGenerator<Record<string, unknown>> {
    yield* ndjson(this.stream({ ...call, accept: 'application/x-ndjson' }), call.doing);
  }

  /** An answer below 400, or an expected one; its body is still to be read. */
  async open(call: ApiCall): Promise<ApiAnswer> {
    const startedAt = performance.now();
    for (let waitMs = FIRST_PAUSE_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const outcome = await this.#attempt(call);
      if ('answer' in outcome) return outcome.answer;
      const { error, isWorthRepeating, isUnsent = false } = outcome;
      const nextMs = outcome.waitMs ?? waitMs;
      const patienceMs = call.patienceMs ?? this.#patienceMs;
      const giveUpAt = startedAt + (isUnsent ? Math.min(UNSENT_PATIENCE_MS, patienceMs) : patienceMs);
      const isBearable = nextMs <= (call.patienceMs ?? LONGEST_WAIT_MS);
      if (!isWorthRepeating || !isBearable || performance.now() + nextMs >= giveUpAt) throw error;
      await this.#sitOut(error, nextMs, call.signal);
    }
  }

  /** Of a handshake, which is a call of its own kind. False: it was refused for something else, or for too long. */
  async sitOutLimit(thrown: unknown, giveUpAt: number, signal?: AbortSignal): Promise<boolean> {
    if (!(thrown instanceof WreckitError) || thrown.code !== 'RATE_LIMITED') return false;
    const { retry_after_seconds: seconds } = thrown.details;
    const waitMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : NOTICED_WAIT_MS;
    if (waitMs > LONGEST_WAIT_MS || performance.now() + waitMs >= giveUpAt) return false;
    await this.#sitOut(thrown, waitMs, signal);
    return true;
  }

  async #sitOut({ code, message }: WreckitError, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (code === 'RATE_LIMITED' && waitMs >= NOTICED_WAIT_MS) {
      this.#onNotice(`${message}; trying again in ${Math.ceil(waitMs / 1000)} s`);
    }
    await pause(waitMs, signal);
  }

  async #attempt(call: ApiCall): Promise<Outcome> {
    let answer: ApiAnswer;
    try {
      answer = await this.#send(call);
    } catch (thrown) {
      call.signal?.throwIfAborted();
      const error = this.#noConnection(call, thrown);
      const isUnsent = UNSENT.has(errnoOf(thrown) ?? '');
      return { error, isWorthRepeating: isUnsent || call.canRepeat === true, isUnsent, waitMs: null };
    }
    const { status, headers, stream } = answer;
    if (status < 300 || call.expected?.includes(status)) return { answer };
    if (status < 400) {
      stream.destroy();
      const error = this.#nonsense(call, `it answered ${status} and points elsewhere, which is not followed`);
      return { error, isWorthRepeating: false, waitMs: null };
    }
    const refusal: Refusal = { status, headers, body: await head(stream) };
    const error = apiFault(refusal, call);
    const isPassing = call.canRepeat === true && [429, 502, 503, 504].includes(status);
    // Refused before anything was done. What was sent as a stream is used up.
    const isTooFast = error.code === 'RATE_LIMITED' && call.bytes === undefined;
    const seconds = retryAfterSeconds(refusal);
    // `0` is no time to wait: a pause that grows is.
    return { error, isWorthRepeating: isPassing || isTooFast, waitMs: seconds ? seconds * 1000 : null };
  }

  #send(call: ApiCall): Promise<ApiAnswer> {
    const { isSecure, host, port, basePath, socketPath } = this.target;
    const body = call.json === undefined ? null : Buffer.from(JSON.stringify(call.json));
    const contentType = body === null ? 'application/octet-stream' : 'application/json';
    const headers = {
      ...this.headers,
      Accept: call.accept ?? 'application/json',
      ...(body === null && call.bytes === undefined ? {} : { 'Content-Type': contentType }),
      ...(body === null ? {} : { 'Content-Length': body.length }),
    };
    const place = socketPath === null ? { host, port } : { socketPath };
    const options = { ...place, method: call.method, path: basePath + call.route, headers, agent: false };
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, ...(call.signal === undefined ? [] : [call.signal])]);
    return new Promise((resolve, reject) => {
      const request = (isSecure ? httpsRequest : httpRequest)({ ...options, signal });
      let late: NodeJS.Timeout | undefined;
      const watch = (): void => {
        clearTimeout(late);
        late = setTimeout(() => stop.abort(new LateAnswer()), call.timeoutMs ?? HEADERS_TIMEOUT_MS);
      };
      const settle = (act: () => void): void => {
        clearTimeout(late);
        act();
      };
      watch();
      request.once('response', (stream) => {
        settle(() => undefined);
        this.note(stream.headers);
        resolve({ status: stream.statusCode ?? 0, headers: stream.headers, stream });
      });
      request.once('error', (error) =>
        settle(() => reject(stop.signal.aborted ? stop.signal.reason : error)),
      );
      if (call.bytes === undefined) request.end(body ?? undefined);
      // An upload that goes on is alive; the deadline is for silence.
      else
        pour(call.bytes, request, watch).catch((error: unknown) =>
          settle(() => {
            request.destroy();
            reject(error);
          }),
        );
    });
  }

  #noConnection({ doing }: ApiCall, cause: unknown): WreckitError {
    if (cause instanceof WreckitError) return cause;
    const { url, socketPath } = this.target;
    const details = { api_url: url, errno: errnoOf(cause) ?? null };
    if (cause instanceof LateAnswer) {
      return new WreckitError('TIMEOUT', `${doing}: ${url} has not answered`, {
        hint: 'the server may be slow, or the sprite is still waking: try again',
        details,
        retryable: true,
      });
    }
    const reason = errnoOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
    return new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${url} can't be reached: ${reason}`, {
      hint:
        socketPath === null
          ? 'check the network and SPRITES_API_URL; without --engine cloud the sprites of this machine are used'
          : 'is the server running? start it: wisp serve',
      details,
      retryable: true,
      cause,
    });
  }

  #nonsense({ doing }: ApiCall, problem: string, cause?: unknown): WreckitError {
    return new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${this.target.url}: ${problem}`, {
      hint: 'is SPRITES_API_URL the address of a server of the Sprites API?',
      details: { api_url: this.target.url },
      cause,
    });
  }
}

type Outcome =
  | { readonly answer: ApiAnswer }
  | {
      readonly error: WreckitError;
      readonly isWorthRepeating: boolean;
      readonly waitMs: number | null;
      /** No connection was made. */
      readonly isUnsent?: boolean;
    };

class LateAnswer extends Error {}

/** Nothing can have been done: no connection was made. */
const UNSENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']);

/** `/v1/sprites/NAME/…`: each part encoded; query values that are undefined are left out. */
export function apiPath(
  parts: readonly string[],
  query: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string {
  const path = `/v1/${parts.map(encodeURIComponent).join('/')}`;
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs as [string, string][])}`;
}

async function* bodyOf(stream: IncomingMessage, { doing, signal }: ApiCall): AsyncGenerator<Buffer> {
  let isIdle = false;
  const onIdle = (): void => {
    isIdle = true;
    stream.destroy();
  };
  const onAbort = (): void => void stream.destroy();
  let idle = setTimeout(onIdle, BODY_IDLE_MS);
  signal?.addEventListener('abort', onAbort, { once: true });
  let cause: unknown;
  try {
    for await (const chunk of stream) {
      clearTimeout(idle);
      yield chunk as Buffer;
      idle = setTimeout(onIdle, BODY_IDLE_MS);
    }
    if (stream.complete && !isIdle) return;
  } catch (thrown) {
    if (thrown instanceof WreckitError) throw thrown;
    cause = thrown;
  } finally {
    clearTimeout(idle);
    signal?.removeEventListener('abort', onAbort);
    stream.destroy();
  }
  signal?.throwIfAborted();
  const reason = isIdle ? `nothing came for ${BODY_IDLE_MS / 1000} s` : 'the connection broke off';
  throw new WreckitError('ENGINE_UNAVAILABLE', `${doing}: ${reason} in the middle of the answer`, {
    hint: 'what came of it is not whole: try again',
    retryable: true,
    cause,
  });
}

/** The beginning of an error's body; what a server does not end soon is left. */
async function head(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => stream.destroy(), 5_000);
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // What came of it must do: the status says the essential.
  } finally {
    clearTimeout(late);
    stream.destroy();
  }
  return Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES);
}

async function pour(
  bytes: AsyncIterable<Uint8Array>,
  request: ReturnType<typeof httpRequest>,
  onProgress: () => void,
): Promise<void> {
  for await (const chunk of bytes) {
    if (request.destroyed) return;
    onProgress();
    if (!request.write(chunk)) await drained(request);
  }
  request.end();
}

function drained(request: ReturnType<typeof httpRequest>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('drain', done).off('close', done);
      resolve();
    };
    request.once('drain', done).once('close', done);
  });
}
