/**
 * The engine of this machine: sprites from an OCI runtime and overlayfs, no daemon.
 *
 * Truth is the kernel plus the state directory, read anew by every call. Who changes a sprite holds its lock
 * and writes the record before the thing (`creating` → `booting` → `ready`, `removing`), so that whoever
 * comes after a crash knows what is half-made and finishes or removes it.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../contract/names.ts';
import type { Check, Session, Sprite, VersionData } from '../../contract/schemas.ts';
import { SpriteKillError, SpriteStartError, toWreckitError, WreckitError } from '../../errors.ts';
import type {
  FileOps,
  GcReport,
  KillSessionResult,
  SessionHandle,
  SessionSpec,
  SignalSpec,
  SpriteEngine,
  SpriteFilter,
  StartSpec,
  Waiting,
} from '../engine.ts';
import {
  bootContainer,
  containerOf,
  isUp,
  layoutOf,
  runningSprite,
  type SpriteContainer,
} from './container.ts';
import { runDoctor } from './doctor.ts';
import { LocalFiles } from './files.ts';
import { collectGarbage } from './gc.ts';
import { HOST_IMAGE, resolveImage } from './images.ts';
import { enter, type RunningSprite } from './inside.ts';
import type { SpriteRecord } from './record.ts';
import { makeRootfs } from './rootfs.ts';
import { deleteContainer, findRuntime } from './runtime.ts';
import {
  countRunningSessions,
  findSession,
  killSession,
  listSessions,
  openSession,
} from './sessions/index.ts';
import { spriteView, unknownSprite } from './sprite-view.ts';
import { assertSupported, differences, newRecord } from './start-spec.ts';
import { resolveStateDirs } from './state-dirs.ts';
import { endProcesses } from './stop-processes.ts';
import { SpriteStore } from './store.ts';
import { measureUsage } from './usage.ts';
import { versionData } from './version-data.ts';

export interface LocalEngineOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class LocalEngine implements SpriteEngine {
  readonly files: FileOps;
  private readonly store: SpriteStore;
  private readonly env: LocalEngineOptions['env'];
  private readonly rootless = process.getuid?.() !== 0;

  /** Throws `ENGINE_UNAVAILABLE` where there is no Linux. */
  constructor({ env }: LocalEngineOptions) {
    if (process.platform !== 'linux') {
      throw new WreckitError(
        'ENGINE_UNAVAILABLE',
        `local engine: it needs Linux, this is ${process.platform}`,
        {
          hint: 'run wreckit on a Linux machine or VM (WSL 2 is one), or use the cloud engine',
        },
      );
    }
    this.env = env;
    this.store = new SpriteStore(resolveStateDirs(env));
    this.files = new LocalFiles(async (name, command, waiting) => {
      const sprite = await this.awake(name, waiting);
      return enter(sprite, { command, user: 'sprite', dir: sprite.home, env: { LC_ALL: 'C' } });
    });
  }

  version(): Promise<VersionData> {
    return Promise.resolve(versionData());
  }

  async start(spec: StartSpec, waiting: Waiting = {}): Promise<{ sprite: Sprite; created: boolean }> {
    assertSupported(spec, this.rootless);
    this.store.ensure();
    using _lock = await this.store.lock(spec.name, waiting);
    const existing = await this.usable(spec.name, waiting);
    if (existing === null) return { sprite: this.view(await this.create(spec, waiting)), created: true };
    const different = differences(existing, spec);
    if (different.length > 0) {
      throw new WreckitError(
        'SPRITE_EXISTS',
        `sprite ${quote(spec.name)}: it exists with another ${different.join(', ')}`,
        {
          hint: `kill it first (wreckit sprite kill ${spec.name}), or start it without these flags`,
          details: { different },
        },
      );
    }
    return { sprite: this.view(await this.bootIfDown(existing, waiting)), created: false };
  }

  list(filter: SpriteFilter = {}): Promise<Sprite[]> {
    const sprites = this.store
      .names()
      .filter((name) => filter.prefix === undefined || name.startsWith(filter.prefix))
      .map((name) => this.look(name))
      .filter((sprite) => sprite !== null)
      .filter(({ labels }) =>
        Object.entries(filter.labels ?? {}).every(([key, value]) => labels[key] === value),
      );
    return Promise.resolve(sprites);
  }

  async info(name: string, waiting: Waiting = {}): Promise<Sprite> {
    const record = this.store.read(name);
    const { dir } = this.store.dirsOf(name);
    const group = containerOf(this.parts(record)).id;
    const pid = record.init !== null && isUp(record) ? record.init.pid : null;
    return {
      ...this.view(record),
      sessions: listSessions(dir),
      usage: await measureUsage({ dir, pid, group }, waiting),
    };
  }

  async stop(name: string, waiting: Waiting = {}): Promise<Sprite> {
    this.store.read(name);
    using _lock = await this.store.lock(name, waiting);
    const record = this.store.read(name);
    if (record.init !== null && isUp(record)) await endProcesses(this.running(record), waiting);
    await deleteContainer(containerOf(this.parts(record)), waiting);
    return this.view(
      this.store.write({ ...record, phase: record.phase === 'booting' ? 'ready' : record.phase, init: null }),
    );
  }

  async wake(name: string, waiting: Waiting = {}): Promise<Sprite> {
    await this.awake(name, waiting);
    return this.view(this.store.read(name));
  }

  async kill(name: string, waiting: Waiting = {}): Promise<void> {
    if (!this.store.has(name)) this.store.read(name);
    using _lock = await this.store.lock(name, waiting);
    if (!this.store.has(name)) return;
    try {
      await this.removeSprite(name);
    } catch (cause) {
      throw new SpriteKillError(`sprite ${quote(name)}: ${toWreckitError(cause).message}`, {
        cause,
        retryable: true,
      });
    }
  }

  async openSession(name: string, spec: SessionSpec, waiting: Waiting = {}): Promise<SessionHandle> {
    return openSession(await this.awake(name, waiting), spec, waiting);
  }

  async session(name: string, sessionId: string): Promise<SessionHandle> {
    const record = this.store.read(name);
    return findSession(this.store.dirsOf(name).dir, sessionId, isUp(record) ? this.running(record) : null);
  }

  async sessions(name: string): Promise<Session[]> {
    this.store.read(name);
    return listSessions(this.store.dirsOf(name).dir);
  }

  async killSession(name: string, sessionId: string, how: SignalSpec = {}): Promise<KillSessionResult> {
    const record = this.store.read(name);
    return killSession(
      this.store.dirsOf(name).dir,
      sessionId,
      isUp(record) ? this.running(record) : null,
      how,
    );
  }

  async gc({ dryRun = false, signal }: { dryRun?: boolean } & Waiting = {}): Promise<GcReport> {
    this.store.ensure();
    return collectGarbage({
      store: this.store,
      dryRun,
      remove: (name) => this.kill(name, { signal }),
      settle: async (name) => {
        await this.stop(name, { signal });
      },
      runtime: () => findRuntime(this.store.dirs, { env: this.env, rootless: this.rootless, signal }),
    });
  }

  doctor(waiting: Waiting = {}): Promise<Check[]> {
    return runDoctor({
      store: this.store,
      env: this.env,
      rootless: this.rootless,
      garbage: () => this.gc({ dryRun: true, ...waiting }),
      ...waiting,
    });
  }

  /** The sprite of this name, up: asked for something, it wakes. */
  private async awake(name: string, waiting: Waiting = {}): Promise<RunningSprite> {
    const record = this.store.read(name);
    if (isUp(record)) return this.running(record);
    using _lock = await this.store.lock(name, waiting);
    const usable = await this.usable(name, waiting);
    return this.running(await this.bootIfDown(usable ?? this.store.read(name), waiting));
  }

  /**
   * The record of a sprite that is whole. What an interrupted creation or removal left is removed first, and an
   * expired sprite is as good as gone. Null: there is none (any more). The caller holds the lock.
   */
  private async usable(name: string, waiting: Waiting): Promise<SpriteRecord | null> {
    const record = this.findReadable(name);
    if (record === null) return null;
    const isExpired = record.expires_at !== null && Date.parse(record.expires_at) <= Date.now();
    if (record.phase !== 'creating' && record.phase !== 'removing' && !isExpired) return record;
    waiting.signal?.throwIfAborted();
    await this.removeSprite(name);
    return null;
  }

  private findReadable(name: string): SpriteRecord | null {
    try {
      return this.store.find(name);
    } catch (cause) {
      throw new SpriteStartError(`sprite ${quote(name)}: its record can't be read`, {
        hint: `remove it: wreckit sprite kill ${name}`,
        cause,
      });
    }
  }

  private async create(spec: StartSpec, waiting: Waiting): Promise<SpriteRecord> {
    const imageDir = await resolveImage(spec.image ?? HOST_IMAGE, this.store.dirs, waiting);
    const runtime = await findRuntime(this.store.dirs, {
      env: this.env,
      rootless: this.rootless,
      ...waiting,
    });
    const etcDirs = ['/etc', ...(imageDir === null ? [] : [join(imageDir, 'etc')])];
    const { home } = this.store.dirs;
    const record = newRecord({ spec, runtime, rootless: this.rootless, home, imageDir, etcDirs });
    const dirs = this.store.prepare(record);
    try {
      makeRootfs(dirs, record, layoutOf(imageDir));
      return await this.bootIfDown({ ...record, phase: 'booting' }, waiting);
    } catch (cause) {
      await this.removeSprite(spec.name);
      waiting.signal?.throwIfAborted();
      if (cause instanceof WreckitError) throw cause;
      throw new SpriteStartError(`sprite ${quote(spec.name)}: ${toWreckitError(cause).message}`, { cause });
    }
  }

  /** The caller holds the lock. */
  private async bootIfDown(record: SpriteRecord, waiting: Waiting): Promise<SpriteRecord> {
    if (isUp(record)) return record;
    const booting = this.store.write({ ...record, phase: 'booting', init: null });
    const init = await bootContainer(this.parts(booting), waiting);
    return this.store.write({ ...booting, phase: 'ready', init });
  }

  /** From whatever state. The caller holds the lock. */
  private async removeSprite(name: string): Promise<void> {
    const { dir } = this.store.dirsOf(name);
    let record: SpriteRecord | null = null;
    try {
      record = this.store.find(name);
    } catch {
      // A record that can't be read names no container; gc finds one that is left over by its name.
    }
    if (record !== null) {
      this.store.write({ ...record, phase: 'removing', init: null });
      await deleteContainer(containerOf(this.parts(record)));
    }
    await this.store.remove(name, record?.id ?? name);
    if (statSync(dir, { throwIfNoEntry: false })) throw new Error(`${dir} is still there`);
  }

  private parts(record: SpriteRecord): SpriteContainer {
    return { record, dirs: this.store.dirsOf(record.name), runtimeRoot: this.store.runtimeRoot };
  }

  private running(record: SpriteRecord): RunningSprite {
    if (record.init === null)
      throw new WreckitError('SPRITE_BUSY', `sprite ${quote(record.name)}: it is not up`);
    return runningSprite(this.parts(record), record.init);
  }

  private look(name: string): Sprite | null {
    try {
      const record = this.store.find(name);
      return record === null ? null : this.view(record);
    } catch (error) {
      return unknownSprite(name, toWreckitError(error).message);
    }
  }

  private view(record: SpriteRecord): Sprite {
    const { dir } = this.store.dirsOf(record.name);
    const active = statSync(join(dir, 'sessions'), { throwIfNoEntry: false });
    return spriteView(record, {
      lockFile: this.store.lockFile(record.name),
      lastActiveAt: active ? active.mtime.toISOString() : null,
      runningSessions: isUp(record) ? countRunningSessions(dir) : 0,
    });
  }
}
