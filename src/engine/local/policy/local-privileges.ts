/** What the root of a local sprite may do (`PolicyOps.privileges`). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { quote } from '../../../contract/names.ts';
import { errnoOf, WreckitError } from '../../../errors.ts';
import type { Waiting } from '../../engine.ts';
import type { PolicyPart, PrivilegesPolicy } from '../../policy.ts';
import type { LocalSprites } from '../local-sprites.ts';
import type { SpriteRecord } from '../record.ts';

export interface LocalPrivilegesOptions {
  readonly sprites: Pick<LocalSprites, 'setProfile'>;
  /** Throws `SPRITE_NOT_FOUND`. */
  readonly read: (name: string) => SpriteRecord;
}

/**
 * `standard`: root of the sprite has the capabilities that package managers need, as far as they reach nothing but
 * the sprite. `minimal`: it has none, and owns files as everybody does. Everybody else has none in any case.
 */
export class LocalPrivileges implements PolicyPart<PrivilegesPolicy> {
  readonly #options: LocalPrivilegesOptions;

  constructor(options: LocalPrivilegesOptions) {
    this.#options = options;
  }

  async get(name: string): Promise<PrivilegesPolicy> {
    const { profile = 'standard' } = this.#options.read(name);
    return { profile, devices: [], noNewPrivileges: true };
  }

  /** Throws `UNSUPPORTED` for rights that lead out of a sprite, `CONFLICT` where something runs that has more. */
  async set(
    name: string,
    { profile, devices, noNewPrivileges = true }: PrivilegesPolicy,
    waiting: Waiting = {},
  ): Promise<void> {
    this.#options.read(name);
    if (profile === 'privileged') {
      throw unsupported(
        'the profile "privileged": a sprite shares the kernel of this machine, and would get out',
      );
    }
    if (devices.length > 0)
      throw unsupported(`devices of this machine, such as ${quote(devices[0])}, in a sprite`);
    if (!noNewPrivileges)
      throw unsupported('sprites whose programs can gain privileges (noNewPrivileges false)');
    const wanted = profile === 'minimal' ? 'minimal' : 'standard';
    const assertFits = (initPid: number): void => {
      if (wanted === 'minimal') assertNoneHasCapabilities(initPid);
    };
    await this.#options.sprites.setProfile(name, wanted, { ...waiting, assertFits });
  }

  async reset(name: string, waiting: Waiting = {}): Promise<void> {
    await this.set(name, { profile: 'standard', devices: [] }, waiting);
  }
}

function unsupported(what: string): WreckitError {
  return new WreckitError('UNSUPPORTED', `privileges: this engine does not give ${what}`, {
    hint: 'use the profile "standard" or "minimal", without devices',
  });
}

/** Nobody can take from a process what it has: it has to end first. */
function assertNoneHasCapabilities(initPid: number): void {
  const namespace = linkOf(initPid);
  const found = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => linkOf(Number(pid)) === namespace && hasCapabilities(pid)).length;
  if (namespace === null || found === 0) return;
  throw new WreckitError(
    'CONFLICT',
    `privileges: ${found} processes with more rights than "minimal" run now`,
    {
      hint: 'end what root of the sprite runs (wisp sessions NAME, wisp service list NAME), or stop the sprite first',
      details: { processes: found },
    },
  );
}

/** By its bounding set: what it may ever have. */
function hasCapabilities(pid: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? '0';
  return !/^0+$/.test(bounding);
}

function linkOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return null; // It has ended, or is another user's.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return ''; // It has ended.
  }
}
