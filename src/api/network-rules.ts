/**
 * Network rules as the API means them: an empty list lets everything through there, and nothing in the engine. A
 * policy that closes must never be told, or taken, as the one that opens.
 */
import type { NetworkRule } from '../engine/policy.ts';

const ALLOW_ALL: NetworkRule = { domain: '*', action: 'allow' };
const DENY_ALL: NetworkRule = { domain: '*', action: 'deny' };

export function toApiRules(rules: readonly NetworkRule[]): readonly NetworkRule[] {
  if (rules.length === 0) return [DENY_ALL];
  return rules.every((rule) => !('include' in rule) && rule.domain === '*' && rule.action === 'allow')
    ? []
    : rules;
}

export function fromApiRules(rules: readonly NetworkRule[]): readonly NetworkRule[] {
  return rules.length === 0 ? [ALLOW_ALL] : rules;
}
