/** Puts the server together: the one place that knows all its parts. */
import type { SpriteEngine } from '../engine/engine.ts';
import type { Logger } from '../logging.ts';
import { packageVersion } from '../package-root.ts';
import { type ApiSettings, DEFAULT_SETTINGS } from './api-context.ts';
import { ApiServer } from './api-server.ts';
import { SessionClients } from './exec/session-clients.ts';
import { FaultPlan } from './faults/fault-plan.ts';
import type { FaultRule } from './faults/fault-rule.ts';
import { openApiDocument } from './openapi.ts';
import { PortHub } from './port-hub.ts';
import { routes } from './routes/index.ts';
import { SpriteWatch } from './sprite-watch.ts';

export interface Api {
  readonly server: ApiServer;
  readonly clients: SessionClients;
}

export interface ApiOptions {
  readonly settings?: Partial<ApiSettings> | undefined;
  /** What to answer wrongly, for tests. */
  readonly faults?: readonly FaultRule[] | undefined;
}

export function createApi(engine: SpriteEngine, log: Logger, { settings, faults }: ApiOptions = {}): Api {
  const draining = new AbortController();
  const clients = new SessionClients(engine, log);
  let document: unknown;
  const api = {
    engine,
    log,
    settings: { ...DEFAULT_SETTINGS, ...settings },
    clients,
    sprites: new SpriteWatch(engine),
    ports: new PortHub(engine.ports, draining.signal),
    draining: draining.signal,
    openapi: () => (document ??= openApiDocument(routes, packageVersion())),
  };
  const plan = faults === undefined ? null : new FaultPlan(faults, engine, log);
  return { server: new ApiServer({ api, routes, draining, faults: plan }), clients };
}
