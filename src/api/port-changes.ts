import type { ListeningPort } from '../engine/engine.ts';

export type PortNotice = { readonly type: 'port_opened' | 'port_closed' } & ListeningPort;

export function portMessage(type: PortNotice['type'], { port, address, pid }: ListeningPort): PortNotice {
  return { type, port, address, pid };
}

/** Closed ones first: a port that another process took over is both. */
export function portChanges(before: readonly ListeningPort[], now: readonly ListeningPort[]): PortNotice[] {
  const key = ({ port, address, pid }: ListeningPort): string => `${port} ${address} ${pid}`;
  const was = new Set(before.map(key));
  const is = new Set(now.map(key));
  return [
    ...before.filter((port) => !is.has(key(port))).map((port) => portMessage('port_closed', port)),
    ...now.filter((port) => !was.has(key(port))).map((port) => portMessage('port_opened', port)),
  ];
}
