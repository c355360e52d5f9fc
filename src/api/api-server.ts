/**
 * The HTTP and WebSocket server of `wisp serve`. It holds no state that matters: what it knows beyond the engine
 * (who is attached, what was last seen) is gone with it, and a new one starts from the engine again.
 *
 *   request ─▶ guard (Host, Origin, token) ─▶ router ─▶ query, body ─▶ handler ─▶ reply
 *   upgrade ─▶ guard ─▶ router ─▶ query ─▶ open (may still refuse, as HTTP) ─▶ handshake ─▶ run
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ApiContext } from './api-context.ts';
import { type ErrorAnswer, errorAnswer, fileErrorAnswer } from './api-error.ts';
import { type ApiSocket, CLOSE } from './api-socket.ts';
import { answerAfterwards, answerInstead, finish, sendFalse, sendSpoiled } from './faults/fault-answer.ts';
import type { FaultPlan } from './faults/fault-plan.ts';
import type { FaultRule } from './faults/fault-rule.ts';
import { faultySocket } from './faults/faulty-socket.ts';
import { assertMayAsk, type Door } from './guard.ts';
import { COMMON_HEADERS, letGo, refuseGarbage, refuseUpgrade, urlOf } from './http-manners.ts';
import { HttpRefusal } from './http-refusal.ts';
import { readJson } from './read-json.ts';
import { type Reply, sendError, sendReply } from './reply.ts';
import type { HttpRoute, Route, SocketRoute } from './route.ts';
import { createRouter, type Router } from './router.ts';
import { checked, parseQuery } from './validate.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 2048;
/** TCP asks a silent peer whether it is still there. */
const TCP_PROBE_MS = 30_000;
const DEFAULT_DRAIN_MS = 5_000;

export interface ApiServerOptions {
  readonly api: ApiContext;
  readonly routes: readonly Route[];
  /** Of `api.draining`. */
  readonly draining: AbortController;
  /** Requests to answer wrongly, for tests; null: none. */
  readonly faults: FaultPlan | null;
}

export class ApiServer {
  readonly #api: ApiContext;
  readonly #router: Router;
  readonly #handshakes = new Map<SocketRoute, WebSocketServer>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<ApiSocket>();
  readonly #running = new Set<Promise<void>>();
  readonly #draining: AbortController;
  readonly #faults: FaultPlan | null;
  /** Ends what did not end by itself. */
  readonly #stopping = new AbortController();

  constructor({ api, routes, draining, faults }: ApiServerOptions) {
    this.#api = api;
    this.#faults = faults;
    this.#draining = draining;
    this.#router = createRouter(routes);
    for (const route of routes) {
      if (route.kind === 'socket') this.#handshakes.set(route, handshakeOf(route));
    }
  }

  /** A server that is not listening yet, for one way in. */
  createServer(door: Door): Server {
    const server = createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Bodies may be of any length; who stalls in one is let go by its reader.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAlive: true,
      keepAliveInitialDelay: TCP_PROBE_MS,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => this.#track(this.#answer(request, response, door)));
    server.on('upgrade', (request, socket, head) => {
      this.#track(this.#upgrade(request, socket, head, door));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseGarbage(error, socket));
    this.#servers.push(server);
    return server;
  }

  /**
   * Takes no new connection, ends what has no end at once (watchers), gives the rest `drainMs`, then ends it.
   * Sessions go on in any case.
   */
  async drain(drainMs = DEFAULT_DRAIN_MS): Promise<void> {
    for (const server of this.#servers) server.close();
    this.#draining.abort();
    for (const server of this.#servers) server.closeIdleConnections();
    const idle = Promise.allSettled([...this.#running]);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([idle, late]);
    clearTimeout(timer);
    this.#stopping.abort();
    await Promise.allSettled(
      [...this.#sockets].map((socket) => socket.close(CLOSE.goingAway, 'server ends')),
    );
    for (const server of this.#servers) server.closeAllConnections();
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((thrown: unknown) => this.#api.log.error({ event: 'answer_failed', err: thrown }))
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
    const startedAt = performance.now();
    for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    // Without a listener an error of a body nobody reads would end the process.
    request.on('error', () => gone.abort());
    const { pathname, searchParams } = urlOf(request);
    let toAnswer = errorAnswer;
    try {
      assertMayAsk(request.headers, request.rawHeaders, door);
      const method = request.method ?? '';
      const signal = AbortSignal.any([gone.signal, this.#stopping.signal]);
      const fault = (await this.#faults?.next({ method, path: pathname, isSocket: false })) ?? null;
      const instead = fault === null ? null : await answerInstead(fault, signal);
      if (instead !== null) return sendFalse(response, instead);
      const { route, params } = this.#router.http(method, pathname);
      if (route.errors === 'file') toAnswer = fileErrors(searchParams);
      const query = parseQuery(route.query, searchParams, route.repeated);
      const body = await bodyOf(route, request);
      const call = { api: this.#api, params, query, body, request };
      // The route's own schemas made query and body: see httpRoute().
      const reply = await route.handle({ ...call, signal } as Parameters<HttpRoute['handle']>[0]);
      if (fault !== null && (await sendFaulty(response, reply, fault))) return;
      const { stallMs } = this.#api.settings;
      await sendReply(response, reply, { stallMs, toErrorAnswer: toAnswer });
    } catch (thrown) {
      if (response.headersSent || response.destroyed) response.destroy();
      else sendError(response, toAnswer(thrown));
      this.#noteFault(thrown, pathname);
    } finally {
      if (!request.complete) letGo(request);
    }
    const durationMs = Math.round(performance.now() - startedAt);
    this.#api.log.debug({
      event: 'request',
      method: request.method,
      path: pathname,
      status: response.statusCode,
      duration_ms: durationMs,
    });
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, door: Door): Promise<void> {
    const gone = new AbortController();
    const onGone = (): void => gone.abort();
    stream.on('error', onGone);
    stream.once('close', onGone);
    const { pathname, searchParams } = urlOf(request);
    let toAnswer = errorAnswer;
    try {
      assertMayAsk(request.headers, request.rawHeaders, door);
      const signal = AbortSignal.any([gone.signal, this.#stopping.signal]);
      const isSocket = true;
      const fault = (await this.#faults?.next({ method: 'GET', path: pathname, isSocket })) ?? null;
      const instead = fault === null ? null : await answerInstead(fault, signal);
      if (instead !== null) return refuseUpgrade(stream, instead);
      const { route, params } = this.#router.socket(pathname);
      if (route.errors === 'file') toAnswer = fileErrors(searchParams);
      assertWebSocket(request);
      const query = parseQuery(route.query, searchParams, route.repeated);
      const call = { api: this.#api, params, query, request, signal };
      const run = await route.open(call as Parameters<SocketRoute['open']>[0]);
      const afterwards = fault === null ? null : answerAfterwards(fault);
      if (afterwards !== null) return refuseUpgrade(stream, afterwards);
      const socket = await this.#shake(request, stream, head, { route, fault });
      if (socket !== null) await this.#run(socket, route, run);
    } catch (thrown) {
      refuseUpgrade(stream, toAnswer(thrown));
      this.#noteFault(thrown, pathname);
    }
  }

  /** Null: the client went away, or sent no proper handshake. */
  async #shake(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    { route, fault }: { route: SocketRoute; fault: FaultRule | null },
  ): Promise<ApiSocket | null> {
    return await new Promise((resolve) => {
      stream.once('close', () => resolve(null));
      this.#handshakes.get(route)?.handleUpgrade(request, stream, head, (ws) => {
        resolve(faultySocket(ws, { stallMs: this.#api.settings.stallMs }, fault));
      });
    });
  }

  async #run(
    socket: ApiSocket,
    route: SocketRoute,
    run: (socket: ApiSocket) => Promise<void>,
  ): Promise<void> {
    this.#sockets.add(socket);
    try {
      await run(socket);
      await socket.close(CLOSE.normal);
    } catch (thrown) {
      this.#noteFault(thrown, route.path);
      await socket.close(CLOSE.internal, thrown instanceof Error ? thrown.message : 'it failed');
    } finally {
      this.#sockets.delete(socket);
    }
  }

  /** Refusals are the caller's business; faults are ours. */
  #noteFault(thrown: unknown, path: string): void {
    const { status, body } = errorAnswer(thrown);
    const isOurs = status >= 500 && status !== 501 && !(thrown instanceof HttpRefusal);
    const isAbort = thrown instanceof Error && thrown.name === 'AbortError';
    if (isOurs && !isAbort)
      this.#api.log.warn({ event: 'request_failed', path, code: body.code, err: thrown });
  }
}

function handshakeOf({ maxMessageBytes }: SocketRoute): WebSocketServer {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: maxMessageBytes,
  });
  const lines = Object.entries(COMMON_HEADERS).map(([name, value]) => `${name}: ${value}`);
  server.on('headers', (headers) => headers.push(...lines));
  return server;
}

/** False: nothing is wrong with this answer. */
async function sendFaulty(response: ServerResponse, reply: Reply, fault: FaultRule): Promise<boolean> {
  const afterwards = answerAfterwards(fault);
  if (afterwards !== null) {
    await finish(reply);
    sendFalse(response, afterwards);
    return true;
  }
  if (fault.kind !== 'drop' && fault.kind !== 'malformed') return false;
  await sendSpoiled(response, reply, fault);
  return true;
}

function fileErrors(query: URLSearchParams): (thrown: unknown) => ErrorAnswer {
  return (thrown) => fileErrorAnswer(thrown, query.get('path') ?? '');
}

async function bodyOf({ bodyKind, body }: HttpRoute, request: IncomingMessage): Promise<unknown> {
  if (bodyKind !== 'json' || body === null) return undefined;
  return checked(body, (await readJson(request)) ?? {}, 'body');
}

function assertWebSocket({ method, headers }: IncomingMessage): void {
  if (method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket') return;
  throw new HttpRefusal(400, 'bad_request', 'upgrade: only to WebSocket, with GET');
}
