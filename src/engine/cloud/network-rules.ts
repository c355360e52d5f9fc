/** The three network modes as rules of the API, where no rules at all let everything through. */
import { isObject } from '../../contract/json-value.ts';
import type { Network } from '../../contract/schemas.ts';
import type { NetworkRule } from '../policy.ts';

const DENY_ALL: NetworkRule = { domain: '*', action: 'deny' };
const PRESET = 'defaults';

export function rulesFor(network: Network, allow: readonly string[] | undefined): readonly NetworkRule[] {
  switch (network) {
    case 'open':
      return [];
    case 'none':
      return [DENY_ALL];
    case 'filtered': {
      const allowed = (allow ?? [PRESET]).map(
        (domain): NetworkRule => (domain === PRESET ? { include: 'defaults' } : { domain, action: 'allow' }),
      );
      return [...allowed, DENY_ALL];
    }
  }
}

export function networkOfRules(rules: readonly NetworkRule[]): Network {
  if (rules.length === 0) return 'open';
  const lets = rules.some((rule) => 'include' in rule || rule.action === 'allow');
  const closes = rules.some((rule) => 'domain' in rule && rule.domain === '*' && rule.action === 'deny');
  if (lets) return 'filtered';
  return closes ? 'none' : 'open';
}

/** What is no rule is left out: it is not known to be in force. */
export function rulesIn(answer: unknown): NetworkRule[] {
  const list = isObject(answer) && Array.isArray(answer.rules) ? answer.rules : [];
  return list.flatMap((raw: unknown): NetworkRule[] => {
    if (!isObject(raw)) return [];
    if (raw.include === PRESET) return [{ include: 'defaults' }];
    const { domain, action } = raw;
    return typeof domain === 'string' && (action === 'allow' || action === 'deny')
      ? [{ domain, action }]
      : [];
  });
}

/** The same rules, whatever their order: the more specific wins, not the earlier. */
export function areSameRules(a: readonly NetworkRule[], b: readonly NetworkRule[]): boolean {
  const keys = (rules: readonly NetworkRule[]): string =>
    [
      ...new Set(
        rules.map((rule) =>
          'include' in rule ? `+${PRESET}` : `${rule.action} ${rule.domain.toLowerCase()}`,
        ),
      ),
    ]
      .sort()
      .join('\n');
  return keys(a) === keys(b);
}
