/** What listens in a sprite, and connections into it: a WebSocket each. The API has no half-close. */
import type { Duplex } from 'node:stream';
import { isObject, numberOr, textOr, tryParseObject } from '../../contract/json-value.ts';
import { assertSpriteName, quote } from '../../contract/names.ts';
import { WreckitError } from '../../errors.ts';
import { pause } from '../../process/abort.ts';
import type { ListeningPort, PortOps, PortTarget } from '../ports.ts';
import type { Waiting } from '../waiting.ts';
import { type ApiChannel, openChannel } from './api-channel.ts';
import { type ApiClient, apiPath } from './api-client.ts';
import { tunnelStream } from './tunnel-stream.ts';

/** The server answers at once what it has found; who listens may take it a moment to find. */
const LIST_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 30_000;
const REWATCH_MS = 2_000;

export class CloudPorts implements PortOps {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async list(name: string, { signal }: Waiting = {}): Promise<readonly ListeningPort[]> {
    const stop = new AbortController();
    const late = AbortSignal.timeout(LIST_TIMEOUT_MS);
    const until = AbortSignal.any([stop.signal, late, ...(signal === undefined ? [] : [signal])]);
    for await (const ports of this.#watchOnce(name, until)) return ports;
    signal?.throwIfAborted();
    throw new WreckitError('TIMEOUT', `ports of ${quote(name)}: the server has not told them`, {
      retryable: true,
    });
  }

  async *watch(
    name: string,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly ListeningPort[]> {
    while (!signal.aborted) {
      yield* this.#watchOnce(name, signal);
      // A connection that ended is made again, and what was missed is in the list that comes first.
      await pause(REWATCH_MS, signal).catch(() => undefined);
    }
  }

  async connect(name: string, { host, port }: PortTarget, { signal }: Waiting = {}): Promise<Duplex> {
    const target = `${host === '' ? 'localhost' : host}:${port}`;
    const doing = `connect to ${target} in ${quote(name)}`;
    const route = apiPath(['sprites', assertSpriteName(name), 'proxy']);
    const channel = await openChannel(this.#client, { route, doing, signal });
    try {
      await channel.send(JSON.stringify({ host, port }));
      const message = await channel.nextWithin(CONNECT_TIMEOUT_MS, signal);
      if (message === null) throw new WreckitError('TIMEOUT', `${doing}: no answer`, { retryable: true });
      const answer = message.kind === 'text' ? tryParseObject(message.text) : undefined;
      const { status, error } = isObject(answer) ? answer : {};
      if (status === 'connected') return tunnelStream(channel);
      throw refused(
        doing,
        textOr(error, message.kind === 'end' ? 'the connection was closed' : 'it was refused'),
      );
    } catch (thrown) {
      channel.drop();
      throw thrown;
    }
  }

  async *#watchOnce(name: string, signal: AbortSignal): AsyncGenerator<readonly ListeningPort[]> {
    const route = apiPath(['sprites', assertSpriteName(name), 'ports', 'watch']);
    let channel: ApiChannel | null = null;
    try {
      channel = await openChannel(this.#client, { route, doing: `ports of ${quote(name)}`, signal });
      let ports: readonly ListeningPort[] | null = null;
      for (;;) {
        const message = await channel.next(signal);
        if (message.kind === 'end') return;
        const value = message.kind === 'text' ? tryParseObject(message.text) : undefined;
        const next: readonly ListeningPort[] | null = isObject(value) ? applied(ports, value) : null;
        if (next === null) continue;
        ports = next;
        yield sorted(next);
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      channel?.close();
    }
  }
}

/** Null: nothing about ports. */
function applied(
  ports: readonly ListeningPort[] | null,
  value: Readonly<Record<string, unknown>>,
): readonly ListeningPort[] | null {
  if (value.type === 'port_list' && Array.isArray(value.ports)) {
    return value.ports.map(portOf).filter((port) => port !== null);
  }
  const changed = portOf(value);
  if (changed === null) return null;
  const others = (ports ?? []).filter(
    ({ port, address }) => port !== changed.port || address !== changed.address,
  );
  if (value.type === 'port_opened') return [...others, changed];
  return value.type === 'port_closed' ? others : null;
}

function portOf(raw: unknown): ListeningPort | null {
  if (!isObject(raw)) return null;
  const port = numberOr(raw.port, 0);
  return port > 0 ? { port, address: textOr(raw.address, ''), pid: numberOr(raw.pid, 0) } : null;
}

function sorted(ports: readonly ListeningPort[]): readonly ListeningPort[] {
  return [...ports].sort((a, b) => a.port - b.port || a.address.localeCompare(b.address));
}

/** Servers tell the reason in words; where the errno is among them it is the detail callers branch on. */
function refused(doing: string, said: string): WreckitError {
  const errno = /\b(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|ETIMEDOUT|ECONNRESET)\b/.exec(said)?.[1];
  const isRefusal = /refused|nothing listens|no program listens/i.test(said);
  return new WreckitError('CONFLICT', `${doing}: ${said}`, {
    hint: 'is a program listening there? see: wisp ports NAME',
    details: { errno: errno ?? (isRefusal ? 'ECONNREFUSED' : null) },
  });
}
