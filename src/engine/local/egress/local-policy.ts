/** Egress rules of local sprites (`PolicyOps.network`). */
import { WreckitError } from '../../../errors.ts';
import type { NetworkRule, PolicyPart } from '../../policy.ts';
import type { SpriteRecord } from '../record.ts';
import { DEFAULT_RULES, readRules, writeRules } from './policy-file.ts';

export class LocalNetworkPolicy implements PolicyPart<readonly NetworkRule[]> {
  readonly #find: (name: string) => { readonly record: SpriteRecord; readonly dir: string };

  /** `find` throws `SPRITE_NOT_FOUND`. */
  constructor(find: (name: string) => { readonly record: SpriteRecord; readonly dir: string }) {
    this.#find = find;
  }

  async get(name: string): Promise<readonly NetworkRule[]> {
    const { record, dir } = this.#find(name);
    if (record.network === 'filtered') return readRules(dir);
    return record.network === 'open' ? [{ domain: '*', action: 'allow' }] : [];
  }

  /** Open connections to what is no longer allowed are cut within half a second. */
  async set(name: string, rules: readonly NetworkRule[]): Promise<void> {
    const { record, dir } = this.#find(name);
    if (record.network !== 'filtered') {
      if (isInForce(record.network, rules)) return;
      throw new WreckitError(
        'UNSUPPORTED',
        `policy: the network of sprite "${name}" is "${record.network}", not "filtered"`,
        {
          hint: `rules need a sprite started with --network filtered`,
        },
      );
    }
    writeRules(dir, rules);
  }

  async reset(name: string): Promise<void> {
    await this.set(name, DEFAULT_RULES);
  }
}

/** Whether a sprite that has no filter does what the rules say: all may be reached, or nothing. */
function isInForce(network: 'open' | 'none', rules: readonly NetworkRule[]): boolean {
  const words = rules.map((rule) => ('include' in rule ? 'preset' : `${rule.action} ${rule.domain}`));
  if (network === 'none') return words.every((text) => text.startsWith('deny '));
  return words.length > 0 && words.every((text) => text === 'allow *');
}
