/** Services that only pretend to run, for what the routes make of them. */
import { EventEmitter, on } from 'node:events';
import type { OutputChunk, Service, ServiceEvent, ServiceOps, ServiceSpec } from '../../engine/engine.ts';
import { WreckitError } from '../../errors.ts';

export class MemoryServices implements ServiceOps {
  readonly specs = new Map<string, ServiceSpec>();
  readonly running = new Set<string>();
  readonly signals: string[] = [];
  readonly #log: ServiceEvent[] = [];
  readonly #events = new EventEmitter();

  async list(): Promise<Service[]> {
    return [...this.specs.keys()].map((name) => this.#view(name));
  }

  async get(_sprite: string, name: string): Promise<Service> {
    return this.#view(name);
  }

  async put(sprite: string, name: string, spec: ServiceSpec): Promise<Service> {
    const taken = [...this.specs].some(([other, { httpPort }]) => other !== name && httpPort !== null);
    if (spec.httpPort !== null && taken) {
      throw new WreckitError('CONFLICT', 'another service already has an HTTP port configured');
    }
    this.specs.set(name, spec);
    return await this.start(sprite, name);
  }

  async remove(_sprite: string, name: string): Promise<void> {
    this.#view(name);
    this.specs.delete(name);
  }

  async start(_sprite: string, name: string): Promise<Service> {
    this.#view(name);
    this.running.add(name);
    this.#tell({ type: 'started', timeMs: 1 });
    this.#tell({ type: 'stdout', data: 'serving\n', timeMs: 2 });
    return this.#view(name);
  }

  async stop(
    _sprite: string,
    name: string,
    { timeoutMs }: { timeoutMs?: number | undefined } = {},
  ): Promise<Service> {
    this.#tell({ type: 'stopping', timeMs: 3 });
    this.running.delete(name);
    this.#tell({ type: 'exit', exitCode: timeoutMs ?? 143, timeMs: 4 });
    this.#tell({ type: 'stopped', timeMs: 5 });
    return this.#view(name);
  }

  async restart(sprite: string, name: string): Promise<Service> {
    await this.stop(sprite, name);
    return await this.start(sprite, name);
  }

  async signal(_sprite: string, name: string, signalName: string): Promise<void> {
    this.#view(name);
    if (!this.running.has(name)) throw new WreckitError('CONFLICT', 'it does not run');
    if (signalName === 'SIGNOSUCH') throw new WreckitError('USAGE', 'no such signal');
    this.signals.push(signalName);
  }

  async *events(
    _sprite: string,
    _name: string,
    { lines = 0, follow, signal }: { lines?: number | undefined; follow: boolean; signal: AbortSignal },
  ): AsyncGenerator<ServiceEvent> {
    const live = on(this.#events, 'event', { signal });
    if (lines > 0) yield* this.#log.filter(({ type }) => type === 'stdout').slice(-lines);
    if (!follow) return;
    for await (const [event] of live) yield event as ServiceEvent;
  }

  // biome-ignore lint/correctness/useYield: no route asks for bytes.
  async *output(): AsyncGenerator<OutputChunk> {
    throw new Error('not asked for by any route');
  }

  #tell(event: ServiceEvent): void {
    this.#log.push(event);
    this.#events.emit('event', event);
  }

  #view(name: string): Service {
    const spec = this.specs.get(name);
    if (spec === undefined) throw new WreckitError('SERVICE_NOT_FOUND', `service ${name}: there is none`);
    const isRunning = this.running.has(name);
    return {
      name,
      spec,
      logFiles: { dir: '/logs', stdout: '/logs/stdout.log', stderr: '/logs/stderr.log' },
      state: {
        status: isRunning ? 'running' : 'stopped',
        pid: isRunning ? 7 : null,
        started_at: isRunning ? new Date(0).toISOString() : null,
        error: null,
        restart_count: 0,
        next_restart_at: null,
      },
    };
  }
}
