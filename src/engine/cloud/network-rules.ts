/**
 * Network rules, here and on the wire. Here what no rule allows is denied. The API lets everything through where
 * there are no rules at all, and what it makes of a name that none names it does not say: so that is always said.
 */
import { isObject } from '../../contract/json-value.ts';
import type { Network } from '../../contract/schemas.ts';
import type { NetworkRule } from '../policy.ts';

const ALLOW_ALL: NetworkRule = { domain: '*', action: 'allow' };
const DENY_ALL: NetworkRule = { domain: '*', action: 'deny' };
const PRESET = 'defaults';

export function rulesForApi(rules: readonly NetworkRule[]): readonly NetworkRule[] {
  return rules.some((rule) => isSame(rule, ALLOW_ALL) || isSame(rule, DENY_ALL))
    ? rules
    : [...rules, DENY_ALL];
}

/** A list that closes nothing is not made to look closed: it keeps its end. */
export function rulesOfApi(rules: readonly NetworkRule[]): readonly NetworkRule[] {
  if (rules.length === 0) return [ALLOW_ALL];
  const others = rules.filter((rule) => !isSame(rule, DENY_ALL));
  return others.length === 0 || others.some(lets) ? others : rules;
}

export function rulesFor(network: Network, allow: readonly string[] | undefined): readonly NetworkRule[] {
  switch (network) {
    case 'open':
      return [ALLOW_ALL];
    case 'none':
      return [];
    case 'filtered':
      return (allow ?? [PRESET]).map(
        (domain): NetworkRule => (domain === PRESET ? { include: 'defaults' } : { domain, action: 'allow' }),
      );
  }
}

/** Of rules as `rulesOfApi` gives them. */
export function networkOfRules(rules: readonly NetworkRule[]): Network {
  if (rules.length === 0) return 'none';
  if (rules.every((rule) => isSame(rule, ALLOW_ALL))) return 'open';
  if (rules.some(lets)) return 'filtered';
  return rules.some((rule) => isSame(rule, DENY_ALL)) ? 'none' : 'open';
}

function lets(rule: NetworkRule): boolean {
  return 'include' in rule || rule.action === 'allow';
}

function isSame(a: NetworkRule, b: NetworkRule): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf(rule: NetworkRule): string {
  return 'include' in rule ? `+${PRESET}` : `${rule.action} ${rule.domain.toLowerCase()}`;
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

/** The same rules, whatever their order: the more specific wins, not the earlier. All allowed is no rules at all. */
export function areSameRules(a: readonly NetworkRule[], b: readonly NetworkRule[]): boolean {
  const keys = (rules: readonly NetworkRule[]): string => {
    const all = [...new Set(rules.map(keyOf))].sort().join('\n');
    return all === keyOf(ALLOW_ALL) ? '' : all;
  };
  return keys(a) === keys(b);
}
