/** The API in this process, over a real engine, on a unix socket and on TCP. */
import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { type ClientOptions, WebSocket } from 'ws';
import type { ApiSettings } from '../../api/api-context.ts';
import type { FaultRule } from '../../api/faults/fault-rule.ts';
import { serveApi } from '../../api/serve-api.ts';
import type { SpriteEngine } from '../../engine/engine.ts';
import { localEngine } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly json: () => unknown;
  /** Each HTTP chunk as it came. */
  readonly chunks: readonly Buffer[];
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | AsyncIterable<Uint8Array>;
  /** Absent: the right one. */
  readonly token?: string | null;
  /** Over the unix socket instead of TCP. */
  readonly overSocket?: boolean;
}

export interface ServedApi extends AsyncDisposable {
  readonly engine: SpriteEngine;
  readonly url: string;
  readonly token: string;
  readonly socket: string;
  /** A whole answer. */
  ask(path: string, options?: AskOptions): Promise<Answer>;
  askJson(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** An answer that goes on. */
  open(path: string, options?: AskOptions): Promise<IncomingMessage>;
  connect(path: string, options?: ClientOptions): ApiClient;
  end(drainMs?: number): Promise<void>;
}

export async function servedApi(
  settings: Partial<ApiSettings> = {},
  given: { readonly engine?: SpriteEngine; readonly faults?: readonly FaultRule[] } = {},
): Promise<ServedApi> {
  const local = given.engine === undefined ? localEngine() : null;
  const engine = local?.engine ?? given.engine;
  if (engine === undefined) throw new Error('no engine');
  const dir = tempDir();
  const token = `test/${randomBytes(16).toString('hex')}`;
  const serving = await serveApi({
    engine,
    log: pino({ level: 'silent' }),
    socket: dir.join('api.sock'),
    tcp: { address: { host: '127.0.0.1', port: 0 }, token, hosts: [] },
    settings,
    faults: given.faults,
  });
  const url = serving.url ?? '';
  const socket = serving.socket ?? '';
  const open = (path: string, options: AskOptions = {}) => openRequest({ url, socket, token }, path, options);
  const ask = async (path: string, options: AskOptions = {}) => await collect(await open(path, options));
  let isEnded = false;
  const end = async (drainMs?: number): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    await serving.end(drainMs);
  };
  return {
    engine,
    url,
    token,
    socket,
    ask,
    open,
    askJson: async (method, path, body) => {
      const headers = { 'Content-Type': 'application/json' };
      const text = body === undefined ? undefined : JSON.stringify(body);
      const answer = await ask(path, { method, headers, ...(text === undefined ? {} : { body: text }) });
      return { status: answer.status, body: answer.body.length === 0 ? undefined : answer.json() };
    },
    connect: (path, options) => new ApiClient(url.replace('http', 'ws') + path, token, options),
    end,
    [Symbol.asyncDispose]: async () => {
      await end(0);
      await local?.[Symbol.asyncDispose]();
      dir[Symbol.dispose]();
    },
  };
}

function openRequest(
  server: { url: string; socket: string; token: string },
  path: string,
  { method = 'GET', headers = {}, body, token = server.token, overSocket = false }: AskOptions,
): Promise<IncomingMessage> {
  const { hostname, port } = new URL(server.url);
  const place = overSocket ? { socketPath: server.socket } : { host: hostname, port };
  const auth = token === null ? {} : { Authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...place, path, method, headers: { ...auth, ...headers }, agent: false });
    request.once('response', resolve);
    request.once('error', reject);
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
    else void pour(body, request);
  });
}

async function pour(body: AsyncIterable<Uint8Array>, request: ReturnType<typeof httpRequest>): Promise<void> {
  for await (const chunk of body) {
    if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve));
  }
  request.end();
}

export async function collect(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const json = (): unknown => JSON.parse(body.toString('utf8'));
  return { status: response.statusCode ?? 0, headers: response.headers, body, json, chunks };
}

export type Frame = { readonly text: Record<string, unknown> } | { readonly bytes: Buffer };

/** A WebSocket client that keeps all it is sent. */
export class ApiClient implements Disposable {
  readonly ws: WebSocket;
  readonly frames: Frame[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** What the server answered instead of a handshake. */
  refusal: Answer | null = null;

  constructor(url: string, token: string, options: ClientOptions = {}) {
    const { headers, ...rest } = options;
    this.ws = new WebSocket(url, { ...rest, headers: { Authorization: `Bearer ${token}`, ...headers } });
    this.ws.on('message', (data: Buffer, isBinary) => {
      this.frames.push(isBinary ? { bytes: data } : { text: JSON.parse(data.toString('utf8')) });
    });
    const refused = new Promise<never>((_, reject) => {
      this.ws.on('unexpected-response', (_request, response) => {
        void collect(response).then((answer) => {
          this.refusal = answer;
          reject(new Error(`refused with ${answer.status}: ${answer.body}`));
        });
      });
      this.ws.on('error', reject);
    });
    this.opened = Promise.race([
      refused,
      new Promise<void>((resolve) => this.ws.once('open', () => resolve())),
    ]);
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  sendJson(value: unknown): void {
    this.ws.send(JSON.stringify(value));
  }

  /** A stdin frame of a session without a terminal. */
  sendInput(text: string | Buffer): void {
    this.ws.send(Buffer.concat([Buffer.of(0), Buffer.from(text)]));
  }

  sendInputEnd(): void {
    this.ws.send(Buffer.of(4));
  }

  get texts(): Record<string, unknown>[] {
    return this.frames.flatMap((frame) => ('text' in frame ? [frame.text] : []));
  }

  /** Of one stream of a session without a terminal; of one with a terminal everything. */
  output(stream?: 1 | 2): string {
    const parts = this.frames.flatMap((frame) => {
      if (!('bytes' in frame)) return [];
      if (stream === undefined) return [frame.bytes];
      return frame.bytes[0] === stream ? [frame.bytes.subarray(1)] : [];
    });
    return Buffer.concat(parts).toString('utf8');
  }

  get exitFrames(): number[] {
    return this.frames.flatMap((frame) =>
      'bytes' in frame && frame.bytes[0] === 3 && frame.bytes.length === 2 ? [frame.bytes[1] ?? -1] : [],
    );
  }

  get sessionId(): string {
    return String(this.texts.find(({ type }) => type === 'session_info')?.session_id ?? '');
  }

  [Symbol.dispose](): void {
    this.ws.terminate();
  }
}

/** `?cmd=sh&cmd=-c&cmd=…` */
export function shellQuery(script: string, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams([['cmd', 'sh'], ['cmd', '-c'], ['cmd', script], ...Object.entries(more)]);
  return `?${query}`;
}

export async function newSprite(api: ServedApi, name = 'demo'): Promise<string> {
  const { status, body } = await api.askJson('POST', '/v1/sprites', { name });
  if (status !== 201) throw new Error(`create: ${status} ${JSON.stringify(body)}`);
  return `/v1/sprites/${name}`;
}
