/** What the service verbs share. */
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceLine } from '../../../cli/service-text.ts';
import type { VerbResult } from '../../../cli/verb.ts';
import { quote } from '../../../contract/names.ts';
import type { Service, ServiceOps, SpriteEngine, Waiting } from '../../../engine/engine.ts';
import { serviceView } from '../../../engine/service-view.ts';
import { WreckitError } from '../../../errors.ts';

/** How long a command that is wrong from the first line on takes to end. */
const WATCHED_MS = 400;
const LOOK_MS = 50;

/** Throws `UNSUPPORTED`. */
export function servicesOf(engine: SpriteEngine): ServiceOps {
  if (engine.services) return engine.services;
  throw new WreckitError('UNSUPPORTED', 'service: this engine has none');
}

/** The service, a moment after it was started: whether it stays up is what the caller wants to know. */
export async function afterStart(
  services: ServiceOps,
  name: string,
  service: string,
  waiting: Waiting,
): Promise<Service> {
  const endAt = performance.now() + WATCHED_MS;
  for (;;) {
    const now = await services.get(name, service, waiting);
    if (now.state.status !== 'running' || performance.now() >= endAt) return now;
    await sleep(LOOK_MS, undefined, waiting);
  }
}

export function serviceResult(service: Service, name: string, calledAs: string): VerbResult {
  const view = serviceView(service);
  const hints = [
    ...(view.status === 'failed'
      ? [`see what it printed: ${calledAs} service logs ${name} ${view.name}`]
      : []),
    ...(view.status === 'running' && view.http_port !== null
      ? [`open it on this machine: ${calledAs} proxy ${name} ${view.http_port}`]
      : []),
  ];
  return { data: { service: view }, text: [serviceLine(view), ...hints].join('\n') };
}

export function httpPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new WreckitError('USAGE', `${quote(text)} is not a port from 1 to 65535`);
}
