/** The engine of this machine: sprites from an OCI runtime and overlayfs, no daemon, no account. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Session, Sprite, VersionData } from '../../contract/schemas.ts';
import { errnoOf, toWreckitError, WreckitError } from '../../errors.ts';
import type {
  CheckpointOps,
  FileOps,
  GcReport,
  KillSessionResult,
  SessionHandle,
  SessionSpec,
  SignalSpec,
  SpriteEngine,
  SpriteFilter,
  SpriteUpdate,
  StartSpec,
  Waiting,
} from '../engine.ts';
import type { NetworkRule, PolicyOps, PolicyPart } from '../policy.ts';
import type { PortOps } from '../ports.ts';
import type { Selftest } from '../selftest.ts';
import { serviceView } from '../service-view.ts';
import type { ServiceOps } from '../services.ts';
import type { SleepOps } from '../sleep.ts';
import { isFrozen } from './cgroup.ts';
import { type Mount, readMounts } from './host-mounts.ts';
import type { RunningSprite } from './inside.ts';
import { lazily } from './lazily.ts';
import type { LocalSprites } from './local-sprites.ts';
import type { SpriteRecord } from './record.ts';
import { containerOf, isUp, runningSprite, type SpriteContainer } from './running.ts';
import { hasServices } from './services/service-dir.ts';
import type { RestartRules } from './services/start-supervisor.ts';
import {
  countRunningSessions,
  findSession,
  isStandingStill,
  killSession,
  listSessions,
  openSession,
} from './sessions/index.ts';
import { lastHeldMs, takeHold } from './sleep/holds.ts';
import { spriteView, unknownSprite } from './sprite-view.ts';
import { resolveStateDirs } from './state-dirs.ts';
import { SpriteStore } from './store.ts';

export interface LocalEngineOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** When services that crash are started again; the usual ones when absent. */
  readonly restartRules?: RestartRules | undefined;
}

/** A checkpoint each time a command is to begin is bad luck; so many in a row are something else. */
const MAX_STARTS = 10;

export class LocalEngine implements SpriteEngine {
  readonly files: FileOps;
  readonly checkpoints: CheckpointOps;
  readonly policy: PolicyOps;
  readonly ports: PortOps;
  readonly sleep: SleepOps;
  readonly services: ServiceOps;
  readonly #store: SpriteStore;
  /** What makes, boots and removes sprites. */
  readonly #sprites: LocalSprites;
  readonly #env: LocalEngineOptions['env'];
  readonly #restartRules: RestartRules | undefined;
  readonly #rootless = process.getuid?.() !== 0;

  /** Throws `ENGINE_UNAVAILABLE` where there is no Linux. */
  constructor({ env, restartRules }: LocalEngineOptions) {
    if (process.platform !== 'linux') {
      throw new WreckitError(
        'ENGINE_UNAVAILABLE',
        `local engine: it needs Linux, this is ${process.platform}`,
        {
          hint: 'run wreckit on a Linux machine or VM (WSL 2 is one), or use the cloud engine',
        },
      );
    }
    this.#env = env;
    this.#restartRules = restartRules;
    this.#store = new SpriteStore(resolveStateDirs(env));
    this.#sprites = lazily(async () => {
      const { LocalSprites } = await import('./local-sprites.ts');
      return new LocalSprites({ store: this.#store, env, rootless: this.#rootless, restartRules });
    });
    this.checkpoints = lazily(async () => {
      const { LocalCheckpoints } = await import('./checkpoints.ts');
      return new LocalCheckpoints(
        (name, waiting, use) => this.#sprites.hold(name, waiting, use),
        (name) => this.#dirsOf(name),
      );
    });
    this.policy = {
      network: lazily(() => this.#loadNetworkPolicy()),
      privileges: lazily(async () => {
        const { LocalPrivileges } = await import('./policy/local-privileges.ts');
        return new LocalPrivileges({ sprites: this.#sprites, read: (name) => this.#store.read(name) });
      }),
      resources: lazily(async () => {
        const { LocalResources } = await import('./policy/local-resources.ts');
        return new LocalResources({ sprites: this.#sprites, read: (name) => this.#store.read(name) });
      }),
    };
    this.ports = lazily(() => this.#loadPorts(), ['watch']);
    this.sleep = lazily(async () => {
      const { LocalSleep } = await import('./sleep/local-sleep.ts');
      return new LocalSleep(this.#store, this.#sprites);
    });
    this.services = lazily(() => this.#loadServices(), ['events', 'output']);
    this.files = lazily(() => this.#loadFiles(), ['read', 'pack', 'watch']);
  }

  async version(): Promise<VersionData> {
    const { versionData } = await import('./version-data.ts');
    return versionData();
  }

  async start(spec: StartSpec, waiting: Waiting = {}): Promise<{ sprite: Sprite; created: boolean }> {
    const { record, created } = await this.#sprites.start(spec, waiting);
    return { sprite: this.#view(record), created };
  }

  async list({ prefix = '', labels = {} }: SpriteFilter = {}): Promise<Sprite[]> {
    const mounts = readMounts();
    return this.#store
      .names()
      .filter((name) => name.startsWith(prefix))
      .map((name) => this.#look(name, mounts))
      .filter((sprite) => sprite !== null)
      .filter((sprite) => Object.entries(labels).every(([key, value]) => sprite.labels[key] === value));
  }

  async info(name: string, waiting: Waiting = {}): Promise<Sprite> {
    const record = this.#store.read(name);
    const container = this.#container(record);
    const { dir } = container.dirs;
    const pid = record.init !== null && isUp(record) ? record.init.pid : null;
    const { measureUsage } = await import('./usage.ts');
    const usage = await measureUsage({ dir, pid, group: containerOf(container).id }, waiting);
    const services = hasServices(dir) ? await this.services.list(name, waiting) : [];
    return {
      ...this.#view(record),
      sessions: listSessions(dir),
      services: services.map(serviceView),
      usage,
    };
  }

  async update(name: string, update: SpriteUpdate, waiting: Waiting = {}): Promise<Sprite> {
    return this.#view(await this.#sprites.update(name, update, waiting));
  }

  async stop(name: string, waiting: Waiting = {}): Promise<Sprite> {
    return this.#view(await this.#sprites.stop(name, waiting));
  }

  async wake(name: string, waiting: Waiting = {}): Promise<Sprite> {
    using _hold = this.#hold(name);
    await this.#awake(name, waiting);
    return this.#view(this.#store.read(name));
  }

  kill(name: string, waiting: Waiting = {}): Promise<void> {
    return this.#sprites.kill(name, waiting);
  }

  async openSession(name: string, spec: SessionSpec, waiting: Waiting = {}): Promise<SessionHandle> {
    using _hold = this.#hold(name);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await openSession(await this.#awake(name, waiting), spec, waiting);
      } catch (thrown) {
        // A checkpoint may hold it still right after it was seen awake: who waits for its lock comes after it.
        if (attempt === MAX_STARTS || !isStandingStill(thrown)) throw thrown;
        (await this.#store.lock(name, waiting))[Symbol.dispose]();
      }
    }
  }

  async session(name: string, sessionId: string): Promise<SessionHandle> {
    return findSession(this.#dirsOf(name).dir, sessionId, this.#runningOrNull(name));
  }

  async sessions(name: string): Promise<Session[]> {
    return listSessions(this.#dirsOf(name).dir);
  }

  async killSession(name: string, sessionId: string, how: SignalSpec = {}): Promise<KillSessionResult> {
    using _hold = this.#hold(name);
    // What stands still takes no signal.
    if (this.#isFrozen(this.#store.read(name))) await this.#awake(name, how);
    return await killSession(this.#dirsOf(name).dir, sessionId, how);
  }

  async gc({ dryRun = false, signal }: { dryRun?: boolean } & Waiting = {}): Promise<GcReport> {
    if (!dryRun) this.#store.ensure();
    const { collectGarbage } = await import('./gc.ts');
    return collectGarbage({
      store: this.#store,
      dryRun,
      remove: (name) => this.#sprites.kill(name, { signal }),
      settle: async (name) => {
        await this.#sprites.stop(name, { signal });
      },
      runtime: () => this.#sprites.runtime({ signal }),
    });
  }

  async doctor(waiting: Waiting = {}): Promise<Check[]> {
    const { runDoctor } = await import('./doctor.ts');
    const garbage = () => this.gc({ dryRun: true, ...waiting });
    return runDoctor({ store: this.#store, env: this.#env, rootless: this.#rootless, garbage, ...waiting });
  }

  readonly selftest: Selftest = async (options) => {
    const { runSelftest } = await import('./selftest/run-selftest.ts');
    return await runSelftest(this, options);
  };

  /** Keeps it from being put to sleep. To be taken before `awake`: see holds.ts. Throws `SPRITE_NOT_FOUND`. */
  #hold(name: string): Disposable {
    const { dir } = this.#dirsOf(name);
    try {
      return takeHold(dir);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') this.#store.read(name);
      // A full disk, say: what it is needed for may do without.
      if (errnoOf(error) === undefined) throw error;
      return { [Symbol.dispose]: () => undefined };
    }
  }

  /** The sprite, up: asked for something, it wakes. What a filtered one needs beside it is looked after, too. */
  async #awake(name: string, waiting: Waiting): Promise<RunningSprite> {
    const record = this.#store.read(name);
    const isReady = isUp(record) && record.network !== 'filtered' && !this.#isFrozen(record);
    if (isReady && record.init !== null) return runningSprite(this.#container(record), record.init);
    return await this.#sprites.awake(name, waiting);
  }

  #isFrozen(record: SpriteRecord, mounts?: readonly Mount[]): boolean {
    return record.init !== null && isFrozen(record.init.pid, containerOf(this.#container(record)).id, mounts);
  }

  #container(record: SpriteRecord): SpriteContainer {
    return { record, dirs: this.#store.dirsOf(record.name), runtimeRoot: this.#store.runtimeRoot };
  }

  async #loadFiles(): Promise<FileOps> {
    const { LocalFiles } = await import('./files.ts');
    const { enter } = await import('./inside.ts');
    return new LocalFiles(async (name, command, { user = 'sprite', signal }) => {
      const hold = this.#hold(name);
      try {
        const sprite = await this.#awake(name, { signal });
        const entrance = enter(sprite, { command, user, dir: sprite.home, env: { LC_ALL: 'C' } });
        const leave = (): void => {
          entrance[Symbol.dispose]();
          hold[Symbol.dispose]();
        };
        return { ...entrance, [Symbol.dispose]: leave };
      } catch (error) {
        hold[Symbol.dispose]();
        throw error;
      }
    });
  }

  async #loadPorts(): Promise<PortOps> {
    const { LocalPorts } = await import('./ports/local-ports.ts');
    return new LocalPorts({
      rootless: this.#rootless,
      initPidOf: (name) => this.#runningOrNull(name)?.initPid ?? null,
      sharesNetwork: (name) => this.#store.read(name).network === 'open',
      hold: (name) => this.#hold(name),
      awake: (name, waiting) => this.#awake(name, waiting),
    });
  }

  async #loadServices(): Promise<ServiceOps> {
    const { LocalServices } = await import('./services/local-services.ts');
    return new LocalServices({
      dirOf: (name) => this.#dirsOf(name).dir,
      runningOrNull: (name) => this.#runningOrNull(name),
      hold: (name) => this.#hold(name),
      awake: (name, waiting) => this.#awake(name, waiting),
      rules: this.#restartRules,
    });
  }

  async #loadNetworkPolicy(): Promise<PolicyPart<readonly NetworkRule[]>> {
    const { LocalNetworkPolicy } = await import('./egress/local-policy.ts');
    return new LocalNetworkPolicy((name) => ({
      record: this.#store.read(name),
      dir: this.#dirsOf(name).dir,
    }));
  }

  /** Throws `SPRITE_NOT_FOUND`. */
  #dirsOf(name: string) {
    this.#store.read(name);
    return this.#store.dirsOf(name);
  }

  #runningOrNull(name: string): RunningSprite | null {
    const record = this.#store.read(name);
    return record.init !== null && isUp(record) ? runningSprite(this.#container(record), record.init) : null;
  }

  #look(name: string, mounts: readonly Mount[]): Sprite | null {
    try {
      const record = this.#store.find(name);
      return record === null ? null : this.#view(record, mounts);
    } catch (error) {
      return unknownSprite(name, toWreckitError(error).message);
    }
  }

  /** `mounts`: what the kernel says of them, where that was asked already. */
  #view(record: SpriteRecord, mounts?: readonly Mount[]): Sprite {
    const { dir } = this.#store.dirsOf(record.name);
    const sessions = statSync(join(dir, 'sessions'), { throwIfNoEntry: false });
    const activeMs = Math.max(sessions?.mtimeMs ?? 0, lastHeldMs(dir));
    const isRunning = isUp(record);
    return spriteView(record, {
      lockFile: this.#store.lockFile(record.name),
      isUp: isRunning,
      isFrozen: isRunning && this.#isFrozen(record, mounts),
      lastActiveAt: activeMs > 0 ? new Date(activeMs).toISOString() : null,
      runningSessions: isRunning ? countRunningSessions(dir) : 0,
    });
  }
}
