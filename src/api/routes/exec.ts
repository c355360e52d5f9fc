/** `exec`: new commands and running ones, over WebSockets and plain HTTP. */
import { z } from 'zod';
import { assertSessionId, quote } from '../../contract/names.ts';
import type { Session } from '../../contract/schemas.ts';
import { parseDurationMs } from '../../contract/units.ts';
import type { SessionHandle } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import type { ApiContext } from '../api-context.ts';
import { attended, openAttached } from '../exec/attend.ts';
import { EXEC_REPEATED, ExecQuery, sessionSpecOf } from '../exec/exec-query.ts';
import { execFrames, feedSession } from '../exec/http-exec.ts';
import { killSteps } from '../exec/kill-session.ts';
import { SessionMessage, signalName } from '../exec/serve-session.ts';
import { fullSessionEntry, sessionEntry } from '../exec/session-text.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { eagerBytes, json, ndjson } from '../reply.ts';
import { bodyOf } from '../request-body.ts';
import { httpRoute, type Route, socketRoute } from '../route.ts';
import { ExecFrame, KillStep, SessionList } from '../schemas/exec.ts';
import { flag } from '../schemas/query.ts';

/** A client may send all of its input as one message. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
const DEFAULT_KILL_GRACE_MS = 10_000;
const MAX_KILL_GRACE_MS = 3_600_000;

const AttachQuery = ExecQuery.pick({ output_offset: true, stderr_offset: true, stdin: true });
const KillQuery = z.object({
  signal: z.string().default('SIGTERM').describe('With or without `SIG`'),
  timeout: z.string().default('10s').describe('Then SIGKILL; `0s`: the one signal and no more'),
});

const start = socketRoute({
  path: '/v1/sprites/{name}/exec',
  summary: 'Run a command over a WebSocket',
  description:
    'Binary frames are one stream byte and data, or raw bytes with a terminal. Text frames are JSON.',
  query: ExecQuery,
  repeated: EXEC_REPEATED,
  messages: { client: SessionMessage, server: ExecFrame },
  maxMessageBytes: MAX_MESSAGE_BYTES,
  async open({ api, params, query, signal }) {
    if (query.id !== undefined && query.id !== '') {
      return await openAttached(api, params.name, assertSessionId(query.id), query, signal);
    }
    const handle = await api.engine.openSession(params.name, sessionSpecOf(query), { signal });
    return await attended(api, params.name, handle, signal, async (session) => ({
      session,
      isOwner: true,
      from: { stdout: 0, stderr: 0 },
      screen: null,
    }));
  },
});

const attach = socketRoute({
  path: '/v1/sprites/{name}/exec/{session_id}',
  summary: 'Attach to a running command',
  description: 'First `session_info`, then the current screen or the end of the output, then live output.',
  query: AttachQuery,
  messages: { client: SessionMessage, server: ExecFrame },
  maxMessageBytes: MAX_MESSAGE_BYTES,
  open: ({ api, params, query, signal }) => openAttached(api, params.name, params.session_id, query, signal),
});

const startHttp = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/exec',
  summary: 'Run a command without a terminal, over plain HTTP',
  description:
    'With `stdin` set, the request body is its input. Each HTTP chunk of the response is one frame: 1 stdout, 2 stderr, 3 exit code.',
  query: ExecQuery,
  repeated: EXEC_REPEATED,
  takesBytes: true,
  streams: 'bytes',
  async handle({ api, params, query, request, signal }) {
    if (query.tty) throw new WreckitError('USAGE', 'query "tty": a terminal needs a WebSocket');
    const handle = await api.engine.openSession(params.name, sessionSpecOf(query), { signal });
    const client = api.clients.attach(params.name, await handle.info());
    if (query.stdin) {
      feedSession(handle, bodyOf(request)).catch((error: unknown) => {
        api.log.debug({ event: 'input_ended_early', sprite: params.name, session: handle.id, err: error });
      });
    }
    return eagerBytes(releasing(execFrames(handle, signal), handle, client));
  },
});

async function* releasing(
  frames: AsyncIterable<Uint8Array>,
  handle: SessionHandle,
  client: Disposable,
): AsyncGenerator<Uint8Array> {
  try {
    yield* frames;
  } finally {
    client[Symbol.dispose]();
    await handle[Symbol.asyncDispose]();
  }
}

const list = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/exec',
  summary: 'List running commands',
  query: z.object({ ended: flag.describe('Beyond the API: those that have ended as well') }),
  answers: { 200: SessionList },
  async handle({ api, params, query, signal }) {
    const all = await api.engine.sessions(params.name, { signal });
    const shown = all.filter(({ state }) => query.ended || state === 'running');
    const sessions = shown.map(query.ended ? fullSessionEntry : sessionEntry);
    return json({ count: sessions.length, sessions });
  },
});

const show = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/exec/{session_id}',
  summary: 'Get a running command',
  answers: { 200: SessionList.shape.sessions.element },
  async handle({ api, params, signal }) {
    return json(sessionEntry(await findRunning(api, params.name, params.session_id, signal)));
  },
});

const kill = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/exec/{session_id}/kill',
  summary: 'End a command',
  description: 'One line per step; the last one is `complete`. 410 if it has already ended.',
  query: KillQuery,
  streams: 'ndjson',
  answers: { 200: KillStep },
  async handle({ api, params, query, signal }) {
    return await killReply(api, params, query, signal);
  },
});

const remove = httpRoute({
  method: 'DELETE',
  path: '/v1/sprites/{name}/exec/{session_id}',
  summary: 'End a command (the same as `kill`)',
  query: KillQuery,
  streams: 'ndjson',
  answers: { 200: KillStep },
  async handle({ api, params, query, signal }) {
    return await killReply(api, params, query, signal);
  },
});

async function killReply(
  { engine }: ApiContext,
  { name, session_id: sessionId }: { name: string; session_id: string },
  query: z.output<typeof KillQuery>,
  signal: AbortSignal,
) {
  const graceMs = query.timeout === '' ? DEFAULT_KILL_GRACE_MS : parseDurationMs(query.timeout);
  if (graceMs > MAX_KILL_GRACE_MS) throw new WreckitError('USAGE', 'query "timeout": at most one hour');
  const session = (await engine.sessions(name, { signal })).find(({ id }) => id === sessionId);
  if (session === undefined) {
    throw new WreckitError('SESSION_NOT_FOUND', `session not found: ${quote(sessionId)}`);
  }
  if (session.state !== 'running') {
    throw new HttpRefusal(410, 'session_gone', `session ${quote(sessionId)}: it has ended already`);
  }
  return ndjson(killSteps({ engine, name, sessionId, signalName: signalName(query.signal), graceMs }));
}

async function findRunning(
  { engine }: ApiContext,
  name: string,
  sessionId: string,
  signal: AbortSignal,
): Promise<Session> {
  const session = (await engine.sessions(name, { signal })).find(({ id }) => id === sessionId);
  if (session !== undefined && session.state === 'running') return session;
  throw new WreckitError('SESSION_NOT_FOUND', `session not found: ${sessionId}`);
}

export const execRoutes: readonly Route[] = [start, attach, startHttp, list, show, kill, remove];
