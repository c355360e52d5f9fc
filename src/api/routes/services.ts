/** Services: declared processes. `signal` in a service's place is the call of that name. */
import { z } from 'zod';
import { assertServiceName, quote } from '../../contract/names.ts';
import { parseDurationMs } from '../../contract/units.ts';
import type { Service, ServiceSpec } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';
import { capability } from '../capability.ts';
import { isVariableName } from '../exec/exec-query.ts';
import { signalName } from '../exec/serve-session.ts';
import { resolveIn } from '../file-path.ts';
import { json, ndjson, noContent } from '../reply.ts';
import { httpRoute, type Route } from '../route.ts';
import {
  ApiService,
  ApiServiceEvent,
  DurationQuery,
  LogsQuery,
  ServiceBody,
  SignalBody,
  StopQuery,
} from '../schemas/services.ts';
import { serviceLines } from '../service-stream.ts';
import { snakeKeys } from '../snake-keys.ts';

const DEFAULT_DURATION_MS = 5_000;
const MAX_DURATION_MS = 24 * 3_600_000;
const DEFAULT_STOP_MS = 10_000;
const DEFAULT_LOG_LINES = 100;

const list = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/services',
  summary: 'List the services of a sprite',
  answers: { 200: z.array(ApiService) },
  async handle({ api, params, signal }) {
    const services = await capability(api.engine.services, 'services').list(params.name, { signal });
    return json(services.map(apiService));
  },
});

const get = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/services/{service}',
  summary: 'Get a service',
  answers: { 200: ApiService },
  async handle({ api, params, signal }) {
    const services = capability(api.engine.services, 'services');
    return json(apiService(await services.get(params.name, params.service, { signal })));
  },
});

const put = httpRoute({
  method: 'PUT',
  path: '/v1/sprites/{name}/services/{service}',
  summary: 'Declare or replace a service, and start it',
  query: DurationQuery,
  body: z.preprocess((body) => snakeKeys(body, ['env']), ServiceBody),
  streams: 'ndjson',
  answers: { 200: ApiServiceEvent },
  async handle({ api, params: { name, service }, query, body, signal }) {
    const services = capability(api.engine.services, 'services');
    assertServiceName(service);
    // Before the stream begins: a conflict is an answer of its own.
    await services.put(name, service, specOf(body), { signal });
    const durationMs = duration(query.duration, DEFAULT_DURATION_MS);
    const shown = durationMs > 0 ? { lines: DEFAULT_LOG_LINES, sinceStart: true } : {};
    return ndjson(serviceLines({ services, name, service, ...shown, durationMs, signal }));
  },
});

const remove = httpRoute({
  method: 'DELETE',
  path: '/v1/sprites/{name}/services/{service}',
  summary: 'Stop and remove a service',
  answers: { 204: null },
  async handle({ api, params }) {
    await capability(api.engine.services, 'services').remove(params.name, params.service);
    return noContent();
  },
});

const start = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/services/{service}/start',
  summary: 'Start a service',
  query: DurationQuery,
  streams: 'ndjson',
  answers: { 200: ApiServiceEvent },
  async handle({ api, params: { name, service }, query, signal }) {
    const services = capability(api.engine.services, 'services');
    await services.get(name, service, { signal });
    const durationMs = duration(query.duration, DEFAULT_DURATION_MS);
    const action = () => services.start(name, service);
    return ndjson(serviceLines({ services, name, service, action, durationMs, signal }));
  },
});

const stop = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/services/{service}/stop',
  summary: 'Stop a service',
  query: StopQuery,
  streams: 'ndjson',
  answers: { 200: ApiServiceEvent },
  async handle({ api, params: { name, service }, query, signal }) {
    const services = capability(api.engine.services, 'services');
    const { state } = await services.get(name, service, { signal });
    if (state.status === 'stopped') {
      throw new WreckitError('CONFLICT', `service ${quote(service)}: it is not running`);
    }
    const timeoutMs = duration(query.timeout, DEFAULT_STOP_MS);
    const action = () => services.stop(name, service, { timeoutMs });
    return ndjson(serviceLines({ services, name, service, action, durationMs: 0, signal }));
  },
});

const restart = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/services/{service}/restart',
  summary: 'Restart a service',
  query: DurationQuery,
  streams: 'ndjson',
  answers: { 200: ApiServiceEvent },
  async handle({ api, params: { name, service }, query, signal }) {
    const services = capability(api.engine.services, 'services');
    await services.get(name, service, { signal });
    const durationMs = duration(query.duration, DEFAULT_DURATION_MS);
    const action = () => services.restart(name, service);
    return ndjson(serviceLines({ services, name, service, action, durationMs, signal }));
  },
});

const logs = httpRoute({
  method: 'GET',
  path: '/v1/sprites/{name}/services/{service}/logs',
  summary: 'Read the logs of a service',
  query: LogsQuery,
  streams: 'ndjson',
  answers: { 200: ApiServiceEvent },
  async handle({ api, params: { name, service }, query, signal }) {
    const services = capability(api.engine.services, 'services');
    await services.get(name, service, { signal });
    const lines = query.lines ?? DEFAULT_LOG_LINES;
    const durationMs = duration(query.duration, 0);
    return ndjson(serviceLines({ services, name, service, lines, durationMs, signal }));
  },
});

const signalOne = httpRoute({
  method: 'POST',
  path: '/v1/sprites/{name}/services/signal',
  summary: 'Send a signal to a service',
  body: SignalBody,
  answers: { 204: null },
  async handle({ api, params, body, signal }) {
    const services = capability(api.engine.services, 'services');
    await services.signal(params.name, body.name, signalName(body.signal), { signal });
    return noContent();
  },
});

function specOf(body: z.output<typeof ServiceBody>): ServiceSpec {
  for (const [key, value] of Object.entries(body.env ?? {})) {
    if (isVariableName(key) && !value.includes('\0')) continue;
    throw new WreckitError('USAGE', `body "env": ${quote(key)} can't be a variable`);
  }
  return {
    command: [body.cmd, ...(body.args ?? [])],
    dir: body.dir ? resolveIn(null, body.dir) : undefined,
    user: body.user ?? undefined,
    env: body.env ?? undefined,
    needs: body.needs ?? [],
    httpPort: body.http_port ?? null,
  };
}

function duration(text: string | undefined, whenAbsent: number): number {
  return text === undefined || text === '' ? whenAbsent : Math.min(MAX_DURATION_MS, parseDurationMs(text));
}

function apiService({ name, spec, state }: Service): z.output<typeof ApiService> {
  const [cmd = '', ...args] = spec.command;
  const { status, pid, started_at, error, restart_count, next_restart_at } = state;
  return {
    name,
    cmd,
    args,
    ...(spec.env === undefined ? {} : { env: { ...spec.env } }),
    ...(spec.dir === undefined ? {} : { dir: spec.dir }),
    ...(spec.user === undefined ? {} : { user: spec.user }),
    needs: [...spec.needs],
    http_port: spec.httpPort,
    // Absent, not null: clients decode the times, and fail on what is none.
    state: {
      name,
      status,
      ...(pid === null ? {} : { pid }),
      ...(started_at === null ? {} : { started_at }),
      ...(error === null ? {} : { error }),
      restart_count,
      ...(next_restart_at === null ? {} : { next_restart_at }),
    },
  };
}

export const serviceRoutes: readonly Route[] = [
  list,
  get,
  put,
  remove,
  start,
  stop,
  restart,
  logs,
  signalOne,
];
