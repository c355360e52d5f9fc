/** Limits of local sprites, changed while they run (`PolicyOps.resources`). */
import { WreckitError } from '../../../errors.ts';
import type { Waiting } from '../../engine.ts';
import type { PolicyPart, ResourcesPolicy } from '../../policy.ts';
import { cgroupSupport } from '../cgroup.ts';
import type { LocalSprites } from '../local-sprites.ts';
import type { SpriteRecord } from '../record.ts';
import { assertSupported, limitsOf } from '../start-spec.ts';

const MIB = 1024 ** 2;

export interface LocalResourcesOptions {
  readonly sprites: Pick<LocalSprites, 'setLimits'>;
  /** Throws `SPRITE_NOT_FOUND`. */
  readonly read: (name: string) => SpriteRecord;
}

export class LocalResources implements PolicyPart<ResourcesPolicy> {
  readonly #options: LocalResourcesOptions;

  constructor(options: LocalResourcesOptions) {
    this.#options = options;
  }

  async get(name: string): Promise<ResourcesPolicy> {
    const { memory_bytes, cpus, pids } = this.#options.read(name).limits;
    return {
      memory: { limitMb: memory_bytes === null ? null : memory_bytes / MIB, autoscale: false },
      cpus,
      pids,
    };
  }

  /** Throws `USAGE`, `UNSUPPORTED` (this machine can't), `CONFLICT` (it uses more than that now). */
  async set(name: string, { memory, cpus, pids }: ResourcesPolicy, waiting: Waiting = {}): Promise<void> {
    if (memory.autoscale) {
      throw new WreckitError('UNSUPPORTED', 'resources: this engine changes no limit by itself', {
        hint: 'leave out autoscale, and set a limit that is enough',
      });
    }
    await this.#options.sprites.setLimits(
      name,
      (record) => {
        const wanted = {
          memoryBytes: memory.limitMb === null ? undefined : Math.round(memory.limitMb * MIB),
          cpus: (cpus === undefined ? record.limits.cpus : cpus) ?? undefined,
          pids: (pids === undefined ? record.limits.pids : pids) ?? undefined,
        };
        assertSupported({ name, ...wanted }, record.rootless);
        return limitsOf(wanted, cgroupSupport(record.rootless));
      },
      waiting,
    );
  }

  async reset(name: string, waiting: Waiting = {}): Promise<void> {
    await this.set(name, { memory: { limitMb: null, autoscale: false }, cpus: null, pids: null }, waiting);
  }
}
