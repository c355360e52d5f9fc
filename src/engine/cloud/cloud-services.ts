/** Declared processes over the API. What is done to one is told line by line, until it is done. */
import { isObject, numberOr, textOr, textRecordOf, textsOf } from '../../contract/json-value.ts';
import { assertServiceName, assertSpriteName, quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import type { OutputChunk } from '../engine.ts';
import type {
  Service,
  ServiceEvent,
  ServiceEventsRequest,
  ServiceOps,
  ServiceOutputRequest,
  ServiceSpec,
  ServiceStatus,
} from '../services.ts';
import type { Waiting } from '../waiting.ts';
import { type ApiCall, type ApiClient, apiPath } from './api-client.ts';
import { goDuration } from './exec-route.ts';

const STATUSES: readonly string[] = ['stopped', 'starting', 'running', 'stopping', 'failed'];
const DEFAULT_STOP_MS = 10_000;
/** An answer may take as long as a stop may, and a little more. */
const STEP_TIMEOUT_MS = 60_000;
/** The API has no end to following; a day at a time will do. */
const FOLLOW_DURATION = '24h';
/** More than any log that is kept. */
const ALL_LINES = 1_000_000;
const SINCE_START_LINES = 1_000;
const LOG_DIR = '/.sprite/logs/services';

export class CloudServices implements ServiceOps {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async list(name: string, { signal }: Waiting = {}): Promise<Service[]> {
    const route = apiPath(['sprites', assertSpriteName(name), 'services']);
    const doing = `services of ${quote(name)}`;
    const answer = await this.#client.json({ method: 'GET', route, doing, canRepeat: true, signal });
    const list = isObject(answer) ? answer.services : answer;
    if (!Array.isArray(list))
      throw new WreckitError('ENGINE_UNAVAILABLE', `${doing}: the server's answer is not a list`);
    return list.map(serviceOf).filter((service) => service !== null);
  }

  async get(name: string, service: string, { signal }: Waiting = {}): Promise<Service> {
    const found = serviceOf(
      await this.#client.json({ ...this.#call('GET', name, service), canRepeat: true, signal }),
    );
    if (found !== null) return found;
    throw new WreckitError(
      'ENGINE_UNAVAILABLE',
      `service ${quote(service)} of ${quote(name)}: the server answered with something else`,
    );
  }

  async put(name: string, service: string, spec: ServiceSpec, { signal }: Waiting = {}): Promise<Service> {
    const [cmd = '', ...args] = spec.command;
    const { dir, env, user = 'sprite', needs, httpPort } = spec;
    if (user !== 'sprite') {
      throw new WreckitError(
        'UNSUPPORTED',
        `service ${quote(service)}: the API runs services as "sprite" alone`,
        {
          hint: 'leave out --user',
        },
      );
    }
    const json = {
      cmd,
      args,
      needs,
      http_port: httpPort,
      ...(env === undefined ? {} : { env }),
      ...(dir === undefined ? {} : { dir }),
    };
    await this.#steps({ ...this.#call('PUT', name, service, '', { duration: '0s' }), json, signal });
    return await this.get(name, service, { signal });
  }

  async remove(name: string, service: string, { signal }: Waiting = {}): Promise<void> {
    await this.#client.bytes({ ...this.#call('DELETE', name, service), signal }, 65_536);
  }

  async start(name: string, service: string, waiting: Waiting = {}): Promise<Service> {
    return await this.#act(name, service, 'start', { duration: '0s' }, waiting);
  }

  async stop(
    name: string,
    service: string,
    { timeoutMs = DEFAULT_STOP_MS, ...waiting }: { readonly timeoutMs?: number | undefined } & Waiting = {},
  ): Promise<Service> {
    return await this.#act(name, service, 'stop', { timeout: goDuration(timeoutMs) }, waiting);
  }

  async restart(name: string, service: string, waiting: Waiting = {}): Promise<Service> {
    return await this.#act(name, service, 'restart', { duration: '0s' }, waiting);
  }

  async signal(name: string, service: string, signalName: string, { signal }: Waiting = {}): Promise<void> {
    assertServiceName(service);
    const route = apiPath(['sprites', assertSpriteName(name), 'services', 'signal']);
    const doing = `signal service ${quote(service)} of ${quote(name)}`;
    const json = { name: service, signal: signalName };
    await this.#client.bytes(
      { method: 'POST', route, doing, missing: 'SERVICE_NOT_FOUND', json, signal },
      65_536,
    );
  }

  async *events(
    name: string,
    service: string,
    { lines, sinceStart = false, follow, signal }: ServiceEventsRequest,
  ): AsyncGenerator<ServiceEvent> {
    // The API knows lines alone: of a start's own output that is the better part.
    const past = lines ?? (sinceStart ? SINCE_START_LINES : 0);
    const query = { lines: Math.min(past, ALL_LINES), duration: follow ? FOLLOW_DURATION : undefined };
    try {
      for await (const line of this.#client.lines({
        ...this.#call('GET', name, service, 'logs', query),
        signal,
      })) {
        const event = eventOf(line);
        if (event !== null) yield event;
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }

  async *output(
    name: string,
    service: string,
    { stdoutFrom, stderrFrom, lines = ALL_LINES, streams, follow = false, signal }: ServiceOutputRequest = {},
  ): AsyncGenerator<OutputChunk> {
    if ((stdoutFrom ?? 0) !== 0 || (stderrFrom ?? 0) !== 0) {
      throw new WreckitError('UNSUPPORTED', `logs of service ${quote(service)}: the API knows no offsets`, {
        hint: 'ask for lines instead: service logs NAME SERVICE --lines 100',
      });
    }
    const at = { stdout: 0, stderr: 0 };
    const until = signal ?? new AbortController().signal;
    for await (const event of this.events(name, service, { lines, follow, signal: until })) {
      if (event.type !== 'stdout' && event.type !== 'stderr') continue;
      const { type: stream } = event;
      const bytes = Buffer.from(event.data);
      const offset = at[stream];
      at[stream] += bytes.length;
      if (streams?.includes(stream) ?? true) yield { stream, offset, bytes, droppedBytes: 0 };
    }
    signal?.throwIfAborted();
  }

  async #act(
    name: string,
    service: string,
    verb: string,
    query: Readonly<Record<string, string>>,
    { signal }: Waiting,
  ): Promise<Service> {
    await this.#steps({ ...this.#call('POST', name, service, verb, query), signal });
    return await this.get(name, service, { signal });
  }

  /** Throws what a line of type `error` reports. */
  async #steps(call: ApiCall): Promise<void> {
    for await (const line of this.#client.lines(call)) {
      if (line.type === 'complete') return;
      if (line.type !== 'error') continue;
      const said = textOr(line.data, textOr(line.error, 'the server could not'));
      throw new WreckitError('CONFLICT', `${call.doing}: ${said}`, { hint: textOr(line.hint, undefined) });
    }
  }

  #call(
    method: ApiCall['method'],
    name: string,
    service: string,
    verb = '',
    query: Readonly<Record<string, string | number | undefined>> = {},
  ): ApiCall {
    assertServiceName(service);
    const parts = ['sprites', assertSpriteName(name), 'services', service, ...(verb === '' ? [] : [verb])];
    const doing = `${verb === '' ? '' : `${verb} `}service ${quote(service)} of ${quote(name)}`;
    return {
      method,
      route: apiPath(parts, query),
      doing,
      missing: 'SERVICE_NOT_FOUND',
      timeoutMs: STEP_TIMEOUT_MS,
    };
  }
}

function serviceOf(raw: unknown): Service | null {
  if (!isObject(raw) || typeof raw.name !== 'string') return null;
  const state = isObject(raw.state) ? raw.state : {};
  const status = textOr(state.status, '');
  const httpPort = numberOr(raw.http_port, numberOr(raw.httpPort, null));
  return {
    name: raw.name,
    spec: {
      command: [textOr(raw.cmd, ''), ...textsOf(raw.args)],
      dir: textOr(raw.dir, undefined),
      env: isObject(raw.env) ? textRecordOf(raw.env) : undefined,
      needs: textsOf(raw.needs),
      httpPort,
    },
    state: {
      status: STATUSES.includes(status) ? (status as ServiceStatus) : 'failed',
      pid: numberOr(state.pid, null),
      started_at: textOr(state.started_at, null),
      error: textOr(state.error, null),
      restart_count: numberOr(state.restart_count, 0),
      next_restart_at: textOr(state.next_restart_at, null),
    },
    logFiles: { dir: LOG_DIR, stdout: `${LOG_DIR}/${raw.name}.log`, stderr: `${LOG_DIR}/${raw.name}.log` },
  };
}

function eventOf({
  type,
  data,
  exit_code: code,
  timestamp,
}: Readonly<Record<string, unknown>>): ServiceEvent | null {
  const timeMs = numberOr(timestamp, Date.now());
  switch (type) {
    case 'stdout':
    case 'stderr':
    case 'error':
      return { type, data: textOr(data, ''), timeMs };
    case 'started':
    case 'stopping':
    case 'stopped':
      return { type, timeMs };
    case 'exit': {
      const exitCode = numberOr(code, null);
      return exitCode === null ? null : { type, exitCode, timeMs };
    }
    default:
      return null;
  }
}
