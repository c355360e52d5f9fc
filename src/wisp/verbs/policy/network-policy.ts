/** What the policy verbs share. */
import type { SpriteEngine } from '../../../engine/engine.ts';
import type { NetworkRule, PolicyPart } from '../../../engine/policy.ts';
import { WreckitError } from '../../../errors.ts';

/** Throws `UNSUPPORTED`. */
export function networkPolicyOf(engine: SpriteEngine): PolicyPart<readonly NetworkRule[]> {
  if (engine.policy?.network) return engine.policy.network;
  throw new WreckitError('UNSUPPORTED', 'policy: this engine has no egress rules');
}

/** The word that stands for the engine's preset. */
export const PRESET = 'defaults';

export function allowRule(domain: string): NetworkRule {
  return domain === PRESET ? { include: 'defaults' } : { domain, action: 'allow' };
}

export function denyRule(domain: string): NetworkRule {
  return { domain, action: 'deny' };
}

export function rulesText(rules: readonly NetworkRule[]): string {
  const lines = rules.map((rule) =>
    'include' in rule ? `allow  ${PRESET}` : `${rule.action.padEnd(6)} ${rule.domain}`,
  );
  return lines.join('\n');
}
