/**
 * What a route is. One is an entry of the table in routes/index.ts: a method, a path template, the shapes it
 * takes, and a function over the engine. Path parameters are checked by name before any handler runs.
 *
 *   httpRoute({ method: 'GET', path: '/v1/sprites/{name}', summary: …, answers: { 200: SpriteSchema },
 *               handle: async ({ api, params, signal }) => json(…) })
 *   socketRoute({ path: '/v1/sprites/{name}/exec', query: ExecQuery, open: async (call) => async (socket) => … })
 */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { ApiContext } from './api-context.ts';
import type { ApiSocket } from './api-socket.ts';
import type { Reply } from './reply.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The parameters a path template may name; each has a check in path-params.ts. */
export type PathParams = Readonly<
  Record<'name' | 'session_id' | 'checkpoint_id' | 'service' | 'task', string>
>;

interface CallBase<Q> {
  readonly api: ApiContext;
  readonly params: PathParams;
  readonly query: Q;
  readonly request: IncomingMessage;
  /** Aborted when the client is gone, or the server ends without waiting for it. */
  readonly signal: AbortSignal;
}

export interface HttpCall<Q, B> extends CallBase<Q> {
  readonly body: B;
}

export type SocketCall<Q> = CallBase<Q>;

interface RouteDocs {
  readonly summary: string;
  readonly description?: string;
  /** Query parameters that may be given several times; they are arrays in the schema. */
  readonly repeated?: readonly string[];
  /** By status; null: no body. The errors that every route has are not listed. */
  readonly answers?: Readonly<Record<number, z.ZodType | null>>;
}

export type BodyKind = 'none' | 'json' | 'bytes';

export interface HttpRoute extends RouteDocs {
  readonly kind: 'http';
  readonly method: Method;
  readonly path: string;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodType | null;
  readonly bodyKind: BodyKind;
  /** `ndjson`, `bytes`: what a 200 is, where it is not JSON document. */
  readonly streams: 'ndjson' | 'bytes' | null;
  /** `file`: errors have the shape of the file routes. */
  readonly errors: 'crud' | 'file';
  readonly handle: (call: HttpCall<never, never>) => Promise<Reply>;
}

export interface SocketRoute extends RouteDocs {
  readonly kind: 'socket';
  readonly path: string;
  readonly query: z.ZodObject | null;
  readonly errors: 'crud' | 'file';
  /** What goes over it, for the document. */
  readonly messages: { readonly client: z.ZodType | null; readonly server: z.ZodType | null };
  /** A frame or message above this ends the connection with 1009. */
  readonly maxMessageBytes: number;
  /** Runs before the handshake: what it throws is a plain HTTP answer. What it returns runs after it. */
  readonly open: (call: SocketCall<never>) => Promise<(socket: ApiSocket) => Promise<void>>;
}

export type Route = HttpRoute | SocketRoute;

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

interface HttpRouteSpec<Q extends z.ZodObject | undefined, B extends z.ZodType | undefined>
  extends RouteDocs {
  readonly method: Method;
  readonly path: string;
  readonly query?: Q;
  /** JSON. */
  readonly body?: B;
  /** The body is read by the handler. */
  readonly takesBytes?: boolean;
  readonly streams?: 'ndjson' | 'bytes';
  readonly errors?: 'crud' | 'file';
  readonly handle: (call: HttpCall<Parsed<Q>, Parsed<B>>) => Promise<Reply>;
}

export function httpRoute<
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(spec: HttpRouteSpec<Q, B>): HttpRoute {
  const { query, body, takesBytes = false, streams = null, errors = 'crud', ...rest } = spec;
  const bodyKind = body === undefined ? (takesBytes ? 'bytes' : 'none') : 'json';
  return { ...rest, kind: 'http', query: query ?? null, body: body ?? null, bodyKind, streams, errors };
}

interface SocketRouteSpec<Q extends z.ZodObject | undefined> extends RouteDocs {
  readonly path: string;
  readonly query?: Q;
  readonly errors?: 'crud' | 'file';
  readonly messages?: { readonly client?: z.ZodType; readonly server?: z.ZodType };
  readonly maxMessageBytes: number;
  readonly open: (call: SocketCall<Parsed<Q>>) => Promise<(socket: ApiSocket) => Promise<void>>;
}

export function socketRoute<Q extends z.ZodObject | undefined = undefined>(
  spec: SocketRouteSpec<Q>,
): SocketRoute {
  const { query, errors = 'crud', messages = {}, ...rest } = spec;
  const { client = null, server = null } = messages;
  return { ...rest, kind: 'socket', query: query ?? null, errors, messages: { client, server } };
}
