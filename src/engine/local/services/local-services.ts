/** Services of local sprites: declared on disk, kept running by a supervisor each (service-supervisor.ts). */
import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { assertServiceName, quote } from '../../../contract/names.ts';
import { WreckitError } from '../../../errors.ts';
import type { OutputChunk, Waiting } from '../../engine.ts';
import type {
  Service,
  ServiceEvent,
  ServiceEventsRequest,
  ServiceOps,
  ServiceOutputRequest,
  ServiceSpec,
} from '../../services.ts';
import type { RunningSprite } from '../inside.ts';
import { acquireLock, type HeldLock } from '../lock.ts';
import { Changes } from '../sessions/changes.ts';
import { signalMembers } from '../sessions/members.ts';
import { sessionRequest } from '../sessions/session-request.ts';
import { shortSignalName } from '../sessions/signal-names.ts';
import { SERVICE_LOGS } from '../sprite-dirs.ts';
import { assertDeclarable, assertFits, assertUnneeded, inOrder } from './declarations.ts';
import {
  declarationsLockFile,
  isWanted,
  logsOf,
  makeServicesDir,
  readSpec,
  readSpecs,
  removeServiceDir,
  serviceDir,
  serviceLockFile,
  setWanted,
  writeSpec,
} from './service-dir.ts';
import { serviceEvents, serviceOutput } from './service-events.ts';
import { isSettled, isSupervised, readState, stateView } from './service-state.ts';
import { startFailure } from './start-failure.ts';
import { RESTART_RULES, type RestartRules, startSupervisor } from './start-supervisor.ts';
import { membersOf, stopService } from './stop-service.ts';

const DEFAULT_STOP_MS = 10_000;
/** What it needs may take its time. */
const START_TIMEOUT_MS = 30_000;
const LOOK_MS = 250;

export interface LocalServicesOptions {
  /** Its directory on the host. Throws `SPRITE_NOT_FOUND`. */
  readonly dirOf: (name: string) => string;
  /** Null: it is down. */
  readonly runningOrNull: (name: string) => RunningSprite | null;
  /** Keeps it from being put to sleep; taken before `awake`. */
  readonly hold: (name: string) => Disposable;
  readonly awake: (name: string, waiting: Waiting) => Promise<RunningSprite>;
  readonly rules?: RestartRules | undefined;
}

export class LocalServices implements ServiceOps {
  readonly #options: LocalServicesOptions;
  readonly #rules: RestartRules;

  constructor(options: LocalServicesOptions) {
    this.#options = options;
    this.#rules = options.rules ?? RESTART_RULES;
  }

  async list(name: string, waiting: Waiting = {}): Promise<Service[]> {
    const dir = this.#options.dirOf(name);
    const specs = readSpecs(dir);
    for (const service of specs.keys()) await this.#mend(name, service, waiting);
    return [...specs].map(([service, spec]) => this.#view(name, service, spec));
  }

  async get(name: string, service: string, waiting: Waiting = {}): Promise<Service> {
    const spec = this.#spec(name, service);
    await this.#mend(name, service, waiting);
    return this.#view(name, service, spec);
  }

  async put(name: string, service: string, spec: ServiceSpec, waiting: Waiting = {}): Promise<Service> {
    assertServiceName(service);
    assertDeclarable(service, spec);
    const dir = this.#options.dirOf(name);
    // Before the sprite is woken for what can't be.
    assertFits(readSpecs(dir), service, spec);
    using _hold = this.#options.hold(name);
    const sprite = await this.#options.awake(name, waiting);
    sessionRequest(sprite, spec);
    makeServicesDir(dir);
    {
      using _service = await this.#lock(dir, service, waiting);
      const before = readSpec(dir, service);
      const declared = plainSpec(spec);
      assertFits(readSpecs(dir), service, declared);
      if (!isDeepStrictEqual(before, declared)) {
        if (before !== null && this.#isBusy(dir, service)) await this.#end(sprite, service, { ...waiting });
        await this.#declare(dir, service, declared, waiting);
      }
      setWanted(dir, service, true);
    }
    return await this.start(name, service, waiting);
  }

  async remove(name: string, service: string, waiting: Waiting = {}): Promise<void> {
    const dir = this.#options.dirOf(name);
    this.#spec(name, service);
    assertUnneeded(readSpecs(dir), service);
    using _service = await this.#lock(dir, service, waiting);
    if (readSpec(dir, service) === null) return;
    await this.#stopHeld(name, service, waiting);
    using _declarations = await this.#lockDeclarations(dir, waiting);
    assertUnneeded(readSpecs(dir), service);
    removeServiceDir(dir, service);
  }

  async start(name: string, service: string, waiting: Waiting = {}): Promise<Service> {
    const dir = this.#options.dirOf(name);
    this.#spec(name, service);
    using _hold = this.#options.hold(name);
    const sprite = await this.#options.awake(name, waiting);
    for (const each of inOrder(readSpecs(dir), [service])) {
      using _service = await this.#lock(dir, each, waiting);
      setWanted(dir, each, true);
      await this.#supervise(sprite, each);
    }
    await this.#untilStarted(dir, service, waiting);
    return this.#view(name, service, this.#spec(name, service));
  }

  async stop(
    name: string,
    service: string,
    { timeoutMs, signal }: { readonly timeoutMs?: number | undefined } & Waiting = {},
  ): Promise<Service> {
    const dir = this.#options.dirOf(name);
    const spec = this.#spec(name, service);
    using _service = await this.#lock(dir, service, { signal });
    if (!isWanted(dir, service) && !this.#isBusy(dir, service)) throw notRunning(service);
    await this.#stopHeld(name, service, { timeoutMs, signal });
    return this.#view(name, service, spec);
  }

  async restart(name: string, service: string, waiting: Waiting = {}): Promise<Service> {
    const dir = this.#options.dirOf(name);
    this.#spec(name, service);
    {
      using _service = await this.#lock(dir, service, waiting);
      if (this.#options.runningOrNull(name) !== null) await this.#stopHeld(name, service, waiting);
    }
    return await this.start(name, service, waiting);
  }

  async signal(name: string, service: string, signalName: string, waiting: Waiting = {}): Promise<void> {
    const short = shortSignalName(signalName);
    const dir = this.#options.dirOf(name);
    this.#spec(name, service);
    await this.#mend(name, service, waiting);
    const running = this.#options.runningOrNull(name);
    const state = running === null ? null : readState(serviceDir(dir, service));
    if (running === null || !isSupervised(state) || state.status !== 'running') throw notRunning(service);
    using _hold = this.#options.hold(name);
    const { initPid } = await this.#options.awake(name, waiting);
    await signalMembers(membersOf({ service, initPid }, state.leader), [short]);
  }

  async *events(name: string, service: string, request: ServiceEventsRequest): AsyncGenerator<ServiceEvent> {
    this.#spec(name, service);
    yield* serviceEvents(this.#watched(name, service), request);
  }

  async *output(
    name: string,
    service: string,
    request: ServiceOutputRequest = {},
  ): AsyncGenerator<OutputChunk> {
    this.#spec(name, service);
    yield* serviceOutput(this.#watched(name, service), request);
  }

  #watched(name: string, service: string) {
    const dir = this.#options.dirOf(name);
    return { dir: serviceDir(dir, service), logs: logsOf(dir, service) };
  }

  /** Throws `SPRITE_NOT_FOUND`, `USAGE` (the name), `SERVICE_NOT_FOUND`. */
  #spec(name: string, service: string): ServiceSpec {
    const dir = this.#options.dirOf(name);
    const spec = readSpec(dir, assertServiceName(service));
    if (spec !== null) return spec;
    throw new WreckitError(
      'SERVICE_NOT_FOUND',
      `service ${quote(service)}: sprite ${quote(name)} has none of this name`,
      {
        hint: `list those it has: wisp service list ${name}`,
      },
    );
  }

  #lock(dir: string, service: string, waiting: Waiting): Promise<HeldLock> {
    return acquireLock(serviceLockFile(dir, service), { what: `service "${service}"`, ...waiting });
  }

  #lockDeclarations(dir: string, waiting: Waiting): Promise<HeldLock> {
    return acquireLock(declarationsLockFile(dir), { what: 'the services of the sprite', ...waiting });
  }

  async #declare(dir: string, service: string, spec: ServiceSpec, waiting: Waiting): Promise<void> {
    using _declarations = await this.#lockDeclarations(dir, waiting);
    assertFits(readSpecs(dir), service, spec);
    writeSpec(dir, service, spec);
  }

  /** Whether there is somebody who runs it or would. */
  #isBusy(dir: string, service: string): boolean {
    const state = readState(serviceDir(dir, service));
    return state !== null && !isSettled(state);
  }

  /** Starts its supervisor where it has none. The caller holds the service's lock. */
  async #supervise(sprite: RunningSprite, service: string): Promise<void> {
    const spec = readSpec(sprite.dir, service);
    const state = readState(serviceDir(sprite.dir, service));
    if (spec === null || (isSupervised(state) && !isSettled(state))) return;
    const isAdopting = state?.status === 'running';
    await startSupervisor({ sprite, service, spec, rules: this.#rules, isAdopting });
  }

  /** A supervisor that was killed gets a successor, by whoever notices. */
  async #mend(name: string, service: string, waiting: Waiting): Promise<void> {
    const sprite = this.#options.runningOrNull(name);
    if (sprite === null || !this.#isOrphaned(sprite, service)) return;
    try {
      using _service = await acquireLock(serviceLockFile(sprite.dir, service), {
        what: `service "${service}"`,
        waitMs: 0,
        ...waiting,
      });
      if (this.#isOrphaned(sprite, service)) await this.#supervise(sprite, service);
    } catch (error) {
      // Who holds the lock starts or stops it just now.
      if (!(error instanceof WreckitError && error.code === 'SPRITE_BUSY')) throw error;
    }
  }

  #isOrphaned(sprite: RunningSprite, service: string): boolean {
    if (!isWanted(sprite.dir, service)) return false;
    const state = readState(serviceDir(sprite.dir, service));
    return state === null || !(isSettled(state) || isSupervised(state));
  }

  /** The caller holds the service's lock. */
  async #stopHeld(
    name: string,
    service: string,
    options: { readonly timeoutMs?: number | undefined } & Waiting,
  ): Promise<void> {
    const dir = this.#options.dirOf(name);
    setWanted(dir, service, false);
    if (this.#options.runningOrNull(name) === null || !this.#isBusy(dir, service)) return;
    // What is frozen can't obey.
    using _hold = this.#options.hold(name);
    await this.#end(await this.#options.awake(name, options), service, options);
  }

  async #end(
    { dir, initPid }: RunningSprite,
    service: string,
    { timeoutMs = DEFAULT_STOP_MS, signal }: { readonly timeoutMs?: number | undefined } & Waiting,
  ): Promise<void> {
    setWanted(dir, service, false);
    await stopService({ dir: serviceDir(dir, service), service, initPid, timeoutMs, signal });
  }

  /** Until its command runs, or it is known that this takes longer: what it needs crashes, say. */
  async #untilStarted(dir: string, service: string, { signal }: Waiting): Promise<void> {
    using changes = new Changes(serviceDir(dir, service));
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const state = readState(serviceDir(dir, service));
      if (state === null || !isSupervised(state) || performance.now() > deadline) return;
      if (state.status !== 'starting' && state.status !== 'waiting') return;
      const need = state.status === 'waiting' ? readState(serviceDir(dir, state.why)) : null;
      if (need !== null && (need.status === 'backoff' || isSettled(need)) && need.status !== 'finished')
        return;
      await changes.next({ signal }, LOOK_MS);
    }
  }

  #view(name: string, service: string, spec: ServiceSpec): Service {
    const dir = this.#options.dirOf(name);
    const own = serviceDir(dir, service);
    const isUp = this.#options.runningOrNull(name) !== null;
    const isThere = statSync(own, { throwIfNoEntry: false }) !== undefined;
    const state = isUp && isThere ? readState(own) : null;
    return {
      name: service,
      spec,
      state: stateView(state, { isWanted: isWanted(dir, service), readReason: () => startFailure(own) }),
      logFiles: {
        dir: `${SERVICE_LOGS}/${service}`,
        stdout: `${SERVICE_LOGS}/${service}/stdout.log`,
        stderr: `${SERVICE_LOGS}/${service}/stderr.log`,
      },
    };
  }
}

function notRunning(service: string): WreckitError {
  return new WreckitError('CONFLICT', `service ${quote(service)}: it is not running`, {
    hint: 'start it: wisp service start NAME SERVICE',
  });
}

/** Without keys that nobody set, so that what was declared can be compared. */
function plainSpec({ command, dir, env, needs, httpPort, user }: ServiceSpec): ServiceSpec {
  return {
    command: [...command],
    dir,
    env: env === undefined ? undefined : { ...env },
    needs: [...needs],
    httpPort,
    user,
  };
}
