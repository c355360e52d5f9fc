/** Ports and tunnels in the answers of a wisp program (see normalise.ts). */
import { integerOr, isObject, textOr } from './json-value.ts';
import { collect, listIn, type Normalised } from './normalise-list.ts';
import { protocolError } from './parse.ts';
import type { ListeningPort, Tunnel } from './schemas.ts';

export function normalisePorts(data: unknown): Normalised<ListeningPort> {
  const raw = listIn(data, 'ports');
  if (raw === undefined) throw protocolError('ports', 'its answer has no list of ports');
  return collect(raw, normalisePort, 'a port without a number');
}

function normalisePort(raw: unknown): ListeningPort | undefined {
  const port = isObject(raw) ? integerOr(raw.port, 0) : 0;
  if (!isObject(raw) || port <= 0) return undefined;
  return { port, address: textOr(raw.address, ''), pid: integerOr(raw.pid, 0) };
}

/** Throws `WISP_PROTOCOL`: who is not told where a tunnel begins can't use it. */
export function normaliseTunnels(data: unknown): Tunnel[] {
  const { items } = collect(listIn(data, 'tunnels') ?? [], normaliseTunnel, 'a tunnel without a port');
  if (items.length > 0) return items;
  throw protocolError('proxy', 'its answer has no tunnels');
}

function normaliseTunnel(raw: unknown): Tunnel | undefined {
  const port = isObject(raw) ? integerOr(raw.local_port, 0) : 0;
  if (!isObject(raw) || port <= 0) return undefined;
  const address = textOr(raw.local_address, '127.0.0.1');
  return {
    ...raw,
    url: textOr(raw.url, `http://${address}:${port}`),
    local_address: address,
    local_port: port,
    remote_port: integerOr(raw.remote_port, port),
  };
}
