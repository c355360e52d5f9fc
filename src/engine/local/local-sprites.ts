/**
 * The life of local sprites: made, booted, taken down, removed.
 *
 * Truth is the kernel plus the state directory, read anew by every call. Who changes a sprite holds its lock
 * and writes the record before the thing (`creating` → `booting` → `ready`, `removing`), so that whoever
 * comes after a crash knows what is half-made and finishes or removes it.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../contract/names.ts';
import { SpriteKillError, SpriteStartError, toWreckitError, WreckitError } from '../../errors.ts';
import type { SpriteUpdate, StartSpec, Waiting } from '../engine.ts';
import { isFrozen } from './cgroup.ts';
import { type HoldSprite, settleRestore } from './checkpoints.ts';
import { bootContainer, changeLimits, endContainer } from './container.ts';
import { copySourceOf, inherit } from './copy-source.ts';
import { ensureEgress, isEgressUp } from './egress/egress-process.ts';
import { readRules, writeRules } from './egress/policy-file.ts';
import { HOST_IMAGE, resolveImage } from './images.ts';
import type { RunningSprite } from './inside.ts';
import { firstRules, makeDisk, reserveDirs } from './new-sprite.ts';
import type { SpriteRecord } from './record.ts';
import { containerOf, isUp, runningSprite, type SpriteContainer } from './running.ts';
import { findRuntime } from './runtime.ts';
import { letGoOfServices, startServices } from './services/sprite-life.ts';
import type { RestartRules } from './services/start-supervisor.ts';
import { fallAsleep } from './sleep/fall-asleep.ts';
import { type Freezer, freezerOf, thaw } from './sleep/freezer.ts';
import { assertSupported, differences, leftAsItIs, newRecord } from './start-spec.ts';
import { endProcesses } from './stop-processes.ts';
import type { SpriteStore } from './store.ts';
import { diskBytes } from './usage.ts';

export interface LocalSpritesOptions {
  readonly store: SpriteStore;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rootless: boolean;
  readonly restartRules?: RestartRules | undefined;
}

export class LocalSprites {
  readonly #store: SpriteStore;
  readonly #env: LocalSpritesOptions['env'];
  readonly #rootless: boolean;
  readonly #restartRules: RestartRules | undefined;

  constructor({ store, env, rootless, restartRules }: LocalSpritesOptions) {
    this.#store = store;
    this.#env = env;
    this.#rootless = rootless;
    this.#restartRules = restartRules;
  }

  async start(spec: StartSpec, waiting: Waiting): Promise<{ record: SpriteRecord; created: boolean }> {
    assertSupported(spec, this.#rootless);
    this.#store.ensure();
    using _lock = await this.#store.lock(spec.name, waiting);
    const existing = await this.#usable(spec.name, waiting);
    if (existing === null) return { record: await this.#create(spec, waiting), created: true };
    const different = differences(existing, spec);
    if (different.length === 0) {
      const record = await this.#bootIfDown(this.#withTimes(existing, spec), waiting);
      const left = leftAsItIs(record, spec, readRules(this.#store.dirsOf(spec.name).dir));
      return { record: { ...record, warnings: [...record.warnings, ...left] }, created: false };
    }
    throw new WreckitError(
      'SPRITE_EXISTS',
      `sprite ${quote(spec.name)}: it exists with another ${different.join(', ')}`,
      {
        hint: `kill it first (wreckit sprite kill ${spec.name}), or start it without these flags`,
        details: { different },
      },
    );
  }

  /** How long it may idle can be changed at any time. */
  #withTimes(record: SpriteRecord, { idleTimeoutMs }: StartSpec): SpriteRecord {
    if (idleTimeoutMs === undefined || idleTimeoutMs === record.idle_timeout_ms) return record;
    return this.#store.write({ ...record, idle_timeout_ms: idleTimeoutMs });
  }

  async update(name: string, { labels, annotations }: SpriteUpdate, waiting: Waiting): Promise<SpriteRecord> {
    this.#store.read(name);
    using _lock = await this.#store.lock(name, waiting);
    const record = this.#store.read(name);
    return this.#store.write({
      ...record,
      labels: labels ?? record.labels,
      annotations: annotations ?? record.annotations,
    });
  }

  /** In force at once where it runs, and from its next start on. Throws `USAGE`, `UNSUPPORTED`, `CONFLICT`. */
  async setLimits(
    name: string,
    limitsOf: (record: SpriteRecord) => SpriteRecord['limits'],
    waiting: Waiting,
  ): Promise<void> {
    this.#store.read(name);
    using _lock = await this.#store.lock(name, waiting);
    const before = this.#store.read(name);
    const record = { ...before, limits: limitsOf(before) };
    if (isUp(record) && record.init !== null) {
      await changeLimits(this.#container(record), record.init.pid, waiting);
    }
    this.#store.write(record);
  }

  /** For what is started from here on; `assertFits` refuses where something runs that has more. */
  async setProfile(
    name: string,
    profile: 'minimal' | 'standard',
    { assertFits, ...waiting }: { assertFits: (initPid: number) => void } & Waiting,
  ): Promise<void> {
    this.#store.read(name);
    using _lock = await this.#store.lock(name, waiting);
    const record = this.#store.read(name);
    // Written first: nothing is started with the old rights while it is looked for.
    this.#store.write({ ...record, profile });
    try {
      if (isUp(record) && record.init !== null) assertFits(record.init.pid);
    } catch (error) {
      this.#store.write(record);
      throw error;
    }
  }

  /** Its processes end, its disk is kept. Also settles a boot that was interrupted. */
  async stop(name: string, waiting: Waiting): Promise<SpriteRecord> {
    this.#store.read(name);
    using _lock = await this.#store.lock(name, waiting);
    const record = this.#store.read(name);
    await this.#takeDown(record, waiting);
    return this.#store.write({
      ...record,
      phase: record.phase === 'booting' || record.phase === 'stopping' ? 'ready' : record.phase,
      init: null,
    });
  }

  async kill(name: string, waiting: Waiting): Promise<void> {
    if (!this.#store.has(name)) this.#store.read(name);
    using _lock = await this.#store.lock(name, waiting);
    if (!this.#store.has(name)) return;
    try {
      await this.#remove(name);
    } catch (cause) {
      throw new SpriteKillError(`sprite ${quote(name)}: ${toWreckitError(cause).message}`, {
        cause,
        retryable: true,
      });
    }
  }

  /** The sprite of this name, up: asked for something, it wakes. */
  async awake(name: string, waiting: Waiting): Promise<RunningSprite> {
    const record = this.#store.read(name);
    if (this.#isAwake(record)) return this.#running(record);
    using _lock = await this.#store.lock(name, waiting);
    const usable = await this.#usable(name, waiting);
    return this.#running(await this.#bootIfDown(usable ?? this.#store.read(name), waiting));
  }

  /**
   * Frozen (`warm`) or stopped (`cold`), if `isIdle` still says so once nobody can begin anything in it any more.
   * False: it stays as it is. Throws `SPRITE_BUSY` when somebody is changing it.
   */
  async putToSleep(name: string, depth: 'warm' | 'cold', isIdle: () => boolean): Promise<boolean> {
    if (!this.#store.has(name)) return false;
    using _lock = await this.#store.lock(name, { waitMs: 0 });
    const record = this.#store.find(name);
    if (record === null || !isUp(record) || !isIdle()) return false;
    return await fallAsleep(record, depth, {
      isIdle,
      freezer: this.#freezerOf(record),
      write: (changed) => this.#store.write(changed),
      takeDown: () => this.#takeDown(record, {}),
    });
  }

  /** Holds the sprite's lock while `use` runs. */
  readonly hold: HoldSprite = async (name, waiting, use) => {
    this.#store.read(name);
    using _lock = await this.#store.lock(name, waiting);
    const record = this.#store.read(name);
    const dirs = this.#store.dirsOf(name);
    settleRestore(dirs);
    return await use({
      dirs,
      running: isUp(record) ? this.#running(record) : null,
      freezer: this.#freezerOf(record),
      isFrozen: isUp(record) && this.#isFrozen(record),
      down: () => this.#takeDown(record, waiting),
      up: async () => {
        await this.#bootIfDown({ ...record, init: null }, waiting);
      },
      measure: async (dir) => (await diskBytes(dir, waiting)) ?? 0,
    });
  };

  #container(record: SpriteRecord): SpriteContainer {
    return { record, dirs: this.#store.dirsOf(record.name), runtimeRoot: this.#store.runtimeRoot };
  }

  #running(record: SpriteRecord): RunningSprite {
    if (record.init === null)
      throw new WreckitError('SPRITE_BUSY', `sprite ${quote(record.name)}: it is not up`);
    return runningSprite(this.#container(record), record.init);
  }

  #freezerOf({ init, ...record }: SpriteRecord): Freezer | null {
    if (init === null) return null;
    return freezerOf(init.pid, containerOf(this.#container({ ...record, init })).id);
  }

  #thaw(record: SpriteRecord): void {
    const freezer = this.#isFrozen(record) ? this.#freezerOf(record) : null;
    if (freezer !== null) thaw(freezer);
  }

  #isFrozen(record: SpriteRecord): boolean {
    return record.init !== null && isFrozen(record.init.pid, containerOf(this.#container(record)).id);
  }

  /** Up, not held still, and with its way out where it has one. */
  #isAwake(record: SpriteRecord): boolean {
    if (!isUp(record) || this.#isFrozen(record)) return false;
    return record.network !== 'filtered' || isEgressUp(this.#store.dirsOf(record.name).dir);
  }

  runtime(waiting: Waiting): Promise<string> {
    return findRuntime(this.#store.dirs, { env: this.#env, rootless: this.#rootless, ...waiting });
  }

  /**
   * The record of a sprite that is whole. What an interrupted creation or removal left is removed first, and an
   * expired sprite is as good as gone. Null: there is none (any more). The caller holds the lock.
   */
  async #usable(name: string, { signal }: Waiting): Promise<SpriteRecord | null> {
    const record = this.#findReadable(name);
    if (record === null) return null;
    const isExpired = record.expires_at !== null && Date.parse(record.expires_at) <= Date.now();
    if (record.phase !== 'creating' && record.phase !== 'removing' && !isExpired) return record;
    signal?.throwIfAborted();
    await this.#remove(name);
    return null;
  }

  #findReadable(name: string): SpriteRecord | null {
    try {
      return this.#store.find(name);
    } catch (cause) {
      throw new SpriteStartError(`sprite ${quote(name)}: its record can't be read`, {
        hint: `remove it: wreckit sprite kill ${name}`,
        cause,
      });
    }
  }

  async #create(asked: StartSpec, waiting: Waiting): Promise<SpriteRecord> {
    const source = copySourceOf(asked, (name) => this.#store.read(name));
    const spec = source === null ? asked : inherit(asked, source.record);
    const imageDir =
      source?.record.image_dir ?? (await resolveImage(spec.image ?? HOST_IMAGE, this.#store.dirs, waiting));
    const record = newRecord({
      spec,
      runtime: await this.runtime(waiting),
      rootless: this.#rootless,
      home: this.#store.dirs.home,
      imageDir,
      source: source?.record ?? null,
      etcDirs: ['/etc', ...(imageDir === null ? [] : [join(imageDir, 'etc')])],
    });
    const { dir } = await reserveDirs(this.#store, record, asked, waiting);
    try {
      if (record.network === 'filtered') writeRules(dir, firstRules(this.#store, asked, source));
      await makeDisk(this.#store, record, source, { hold: this.hold, ...waiting });
      return await this.#boot(record, waiting);
    } catch (cause) {
      await this.#remove(spec.name);
      waiting.signal?.throwIfAborted();
      if (cause instanceof WreckitError) throw cause;
      throw new SpriteStartError(`sprite ${quote(spec.name)}: ${toWreckitError(cause).message}`, { cause });
    }
  }

  /** The caller holds the lock. */
  async #bootIfDown(record: SpriteRecord, waiting: Waiting): Promise<SpriteRecord> {
    if (isUp(record)) {
      this.#thaw(record);
      if (record.network === 'filtered') await ensureEgress(this.#running(record), record.rootless);
      return record;
    }
    // What a stop that was interrupted left standing still.
    if (record.phase === 'stopping') await endContainer(this.#container(record), waiting);
    settleRestore(this.#store.dirsOf(record.name));
    return await this.#boot(this.#store.write({ ...record, phase: 'booting', init: null }), waiting);
  }

  /** `record` says on the disk that this is being done. */
  async #boot(record: SpriteRecord, waiting: Waiting): Promise<SpriteRecord> {
    const init = await bootContainer(this.#container(record), waiting);
    // Before anybody else takes it to be up, and could start them, too.
    await startServices(runningSprite(this.#container(record), init), this.#restartRules);
    return this.#store.write({ ...record, phase: 'ready', init });
  }

  async #takeDown(record: SpriteRecord, waiting: Waiting): Promise<void> {
    await letGoOfServices(this.#store.dirsOf(record.name).dir);
    if (isUp(record)) {
      this.#thaw(record);
      await endProcesses(this.#running(record), waiting);
    }
    await endContainer(this.#container(record), waiting);
  }

  /** From whatever state. The caller holds the lock. */
  async #remove(name: string): Promise<void> {
    const { dir } = this.#store.dirsOf(name);
    let record: SpriteRecord | null = null;
    try {
      record = this.#store.find(name);
    } catch {
      // A record that can't be read names no container; gc finds one that is left over by its name.
    }
    if (record !== null) {
      this.#store.write({ ...record, phase: 'removing' });
      await letGoOfServices(this.#store.dirsOf(record.name).dir);
      await endContainer(this.#container(record));
    }
    await this.#store.remove(name, record?.id ?? name);
    if (statSync(dir, { throwIfNoEntry: false })) throw new Error(`${dir} is still there`);
  }
}
